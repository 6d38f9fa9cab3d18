//! `PyPI`: twine's `~/.pypirc`.

use crate::SecretValue;
use crate::format::Ini;
use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::local::File;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;

/// The section of the usual index, and where its address begins.
const USUAL: &str = "pypi";
const ADDRESS: &str = "https://upload.pypi.org/";

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some((file, ini)) = pypirc(local)? else { return Ok(None) };
    let name = local.asked().or_else(|| local.name("TWINE_REPOSITORY")).unwrap_or(USUAL);
    let Some(section) = ini.section(name) else { return Ok(None) };
    let Some(password) = section.get("password") else { return Ok(None) };
    let value = SecretValue::new(password.as_bytes().to_vec());
    let place = format!("`[{name}]` in {}", file.place());
    let mut found = file.found(vendor, value, place);
    let is_usual = section.get("repository").is_none_or(|address| address.starts_with(ADDRESS));
    found.only_for = (name != USUAL || !is_usual).then(|| name.to_owned());
    for (variable, value) in
        [("TWINE_USERNAME", section.get("username")), ("TWINE_REPOSITORY_URL", section.get("repository"))]
    {
        if let (Some(value), None) = (value, local.text(variable)) {
            found.settings.push((variable.to_owned(), value.to_owned()));
        }
    }
    Ok(Some(found))
}

fn pypirc(local: &Local<'_>) -> Result<Option<(File, Ini)>, ProviderError> {
    let Some(file) = Local::read(local.home(".pypirc"))? else { return Ok(None) };
    let ini = file.ini()?;
    Ok(Some((file, ini)))
}

/// The sections that have a password.
pub(super) fn indexes(local: &Local<'_>) -> Vec<String> {
    let ini = pypirc(local).ok().flatten().map(|(_, ini)| ini).unwrap_or_default();
    ini.sections().filter(|section| section.has("password")).map(|section| section.name.clone()).collect()
}

/// A token goes with this user's name, unless another one is set.
pub(super) fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let name = "TWINE_USERNAME";
    if local.text(name).is_none() && credential.settings.iter().all(|(known, _)| known != name) {
        credential.settings.push((name.to_owned(), "__token__".to_owned()));
    }
    credential
}

/// A `.pypirc`.
pub(super) fn file(_: &'static Vendor, name: &str, _: &SecretValue) -> Option<ToolFile> {
    (name == ".pypirc").then(|| ToolFile::instead("a .pypirc", "pypi"))
}
