//! GPU clouds: whoever has such a key can rent and destroy machines.

use serde::Deserialize;

use crate::SecretValue;
use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;
use crate::provider::keys::environment;

/// The SDK: variable, file below the XDG directory, file of old in the home.
pub(super) static VAST: Provider = Provider {
    name: "vast",
    aliases: &["vastai"],
    summary: "Vast.ai API key",
    exposure: Exposure::NeverRemote,
    alternative: "let steps on this machine talk to vast.ai: `host_id = \"local\"`",
    sets: &[&[Key::variables("vast/api_key", &["VAST_API_KEY"], &["VAST_API_KEY"])]],
    companions: &[],
    several: None,
    tell: None,
    look: vast,
};

/// `runpodctl`: variable, then a file with two schemas.
pub(super) static RUNPOD: Provider = Provider {
    name: "runpod",
    aliases: &[],
    summary: "RunPod API key",
    exposure: Exposure::NeverRemote,
    alternative: "let steps on this machine talk to RunPod: `host_id = \"local\"`",
    sets: &[&[Key::variables("runpod/api_key", &["RUNPOD_API_KEY"], &["RUNPOD_API_KEY"])]],
    companions: &[],
    several: None,
    tell: None,
    look: runpod,
};

/// There is no official file; many have the one of `SkyPilot`.
pub(super) static LAMBDA: Provider = Provider {
    name: "lambda",
    aliases: &["lambda-cloud"],
    summary: "Lambda Cloud API key",
    exposure: Exposure::NeverRemote,
    alternative: "let steps on this machine talk to Lambda: `host_id = \"local\"`",
    sets: &[&[Key::variables("lambda/api_key", &["LAMBDA_API_KEY"], &["LAMBDA_API_KEY"])]],
    companions: &[],
    several: None,
    tell: None,
    look: lambda,
};

type Looked = Result<Option<Credential>, ProviderError>;

fn vast(provider: &'static Provider, local: &Local<'_>) -> Looked {
    if let Some(found) = environment(provider, local)? {
        return Ok(Some(found));
    }
    let places =
        [local.xdg("XDG_CONFIG_HOME", ".config").join("vastai/vast_api_key"), local.home(".vast_api_key")];
    for path in places {
        if let Some(file) = Local::read(path)?
            && let Some(key) = file.token()
        {
            let place = file.place();
            return Ok(Some(
                Credential::of(provider, &provider.sets[0][0], key, place).warning(file.warning),
            ));
        }
    }
    Ok(None)
}

fn runpod(provider: &'static Provider, local: &Local<'_>) -> Looked {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "apiKey", alias = "apikey")]
        of_runpodctl: Option<String>,
        default: Option<Default>,
    }
    #[derive(Deserialize)]
    struct Default {
        api_key: Option<String>,
    }
    if let Some(found) = environment(provider, local)? {
        return Ok(Some(found));
    }
    let Some(file) = Local::read(local.home(".runpod/config.toml"))? else { return Ok(None) };
    let config: Config = toml::from_str(file.text()?).map_err(|_| file.broken("it is not TOML"))?;
    let filled = |key: Option<String>| key.filter(|key| !key.trim().is_empty());
    let found = filled(config.of_runpodctl)
        .map(|key| ("apiKey", key))
        .or_else(|| Some(("default.api_key", filled(config.default?.api_key)?)));
    let Some((member, key)) = found else { return Ok(None) };
    let place = format!("`{member}` in {}", file.place());
    let key = SecretValue::new(key.into_bytes());
    Ok(Some(Credential::of(provider, &provider.sets[0][0], key, place).warning(file.warning)))
}

fn lambda(provider: &'static Provider, local: &Local<'_>) -> Looked {
    if let Some(found) = environment(provider, local)? {
        return Ok(Some(found));
    }
    let Some(file) = Local::read(local.home(".lambda_cloud/lambda_keys"))? else { return Ok(None) };
    let key = file.text()?.lines().find_map(|line| {
        let (name, value) = line.trim().split_once(" = ")?;
        (name.trim() == "api_key" && !value.trim().is_empty()).then(|| value.trim())
    });
    let Some(key) = key else { return Ok(None) };
    let key = SecretValue::new(key.as_bytes().to_vec());
    let place = file.place();
    Ok(Some(Credential::of(provider, &provider.sets[0][0], key, place).warning(file.warning)))
}
