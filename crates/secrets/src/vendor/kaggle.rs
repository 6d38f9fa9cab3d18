//! Kaggle: `kagglesdk` and `kaggle/api/kaggle_api_extended.py`.

use std::path::PathBuf;

use crate::SecretValue;
use crate::format;
use crate::vendor::Credential;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::local::variable;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    // The variable has the token, or the path of a file with it.
    let mut files = vec![local.home(".kaggle/access_token"), local.home(".kaggle/access_token.txt")];
    if let Some(value) = local.token("KAGGLE_API_TOKEN") {
        match local.path("KAGGLE_API_TOKEN").filter(|path| path.exists()) {
            Some(path) => files = vec![path],
            None => return Ok(Some(vendor.found(value, variable("KAGGLE_API_TOKEN")))),
        }
    }
    for path in files {
        if let Some(file) = Local::read(path)?
            && let Some(value) = file.token()
        {
            return Ok(Some(file.found(vendor, value, file.place())));
        }
    }
    // Each of the pair is taken from where it is, the environment first.
    let file = Local::read(folder(local).join("kaggle.json"))?;
    let mut found = Credential::new(vendor);
    for key in vendor.sets[1] {
        let member = key.name.trim_start_matches("kaggle/");
        let of_file = || match &file {
            Some(file) => {
                Ok(file.json(member)?.map(|value| (value, format!("`{member}` in {}", file.place()))))
            }
            None => Ok(None),
        };
        let part = match local.first(key.read) {
            Some(part) => Some(part),
            None => of_file()?,
        };
        let Some((value, place)) = part else { return Ok(None) };
        found = found.with(key, value, place);
    }
    Ok(Some(found.warning(file.and_then(|file| file.warning))))
}

fn folder(local: &Local<'_>) -> PathBuf {
    local.path("KAGGLE_CONFIG_DIR").unwrap_or_else(|| {
        let usual = local.home(".kaggle");
        if usual.exists() { usual } else { local.xdg("XDG_CONFIG_HOME", ".config").join("kaggle") }
    })
}

/// A kaggle.json, as the vendor's page hands it out: a user's name and a key.
pub(super) fn file(vendor: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let [user, key] = vendor.sets[1] else { return None };
    let members = format::json_members(text.plain()).filter(|members| members.len() == 2)?;
    let of = |member: &str, key: &'static Key| {
        members.iter().find(|(name, _)| name == member)?;
        Some(ToolSecret::new(member, key.name, format::json_member(text.plain(), &[member])?))
    };
    Some(ToolFile::of("a kaggle.json", vec![of("username", user)?, of("key", key)?]))
}
