//! Kaggle: `kagglesdk` and `kaggle/api/kaggle_api_extended.py`.

use std::path::PathBuf;

use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;
use crate::provider::local::variable;

pub(super) static PROVIDER: Provider = Provider {
    name: "kaggle",
    aliases: &[],
    summary: "Kaggle API token, or user name and key",
    exposure: Exposure::DataPlane,
    alternative: "create a separate token: https://www.kaggle.com/settings",
    sets: &[
        &[Key::variables("kaggle/api_token", &["KAGGLE_API_TOKEN"], &["KAGGLE_API_TOKEN"])],
        &[
            Key::variables("kaggle/username", &["KAGGLE_USERNAME"], &["KAGGLE_USERNAME"]).public(),
            Key::variables("kaggle/key", &["KAGGLE_KEY"], &["KAGGLE_KEY"]),
        ],
    ],
    companions: &[],
    several: None,
    tell: None,
    look,
};

fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    let token = &provider.sets[0][0];
    // The variable has the token, or the path of a file with it.
    let mut files = vec![local.home(".kaggle/access_token"), local.home(".kaggle/access_token.txt")];
    if let Some(value) = local.token("KAGGLE_API_TOKEN") {
        match local.path("KAGGLE_API_TOKEN").filter(|path| path.exists()) {
            Some(path) => files = vec![path],
            None => return Ok(Some(Credential::of(provider, token, value, variable("KAGGLE_API_TOKEN")))),
        }
    }
    for path in files {
        if let Some(file) = Local::read(path)?
            && let Some(value) = file.token()
        {
            return Ok(Some(Credential::of(provider, token, value, file.place()).warning(file.warning)));
        }
    }
    // Each of the pair is taken from where it is, the environment first.
    let file = Local::read(folder(local).join("kaggle.json"))?;
    let mut found = Credential::new(provider);
    for key in provider.sets[1] {
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
