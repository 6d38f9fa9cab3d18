//! GPU clouds: whoever has such a key can rent and destroy machines.

use crate::SecretValue;
use crate::format::Format;
use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;

pub(super) fn vast(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    Ok(vast_keys(vendor, local)?.into_iter().next())
}

/// All keys that a cloud's own client keeps, in its order. Only that of vast.ai has several.
pub(super) fn keys(vendor: &'static Vendor, local: &Local<'_>) -> Result<Vec<Credential>, ProviderError> {
    if vendor.name == "vast" {
        return vast_keys(vendor, local);
    }
    Ok(vendor.look(local)?.into_iter().collect())
}

/// Those of vast.ai's client: the first is of a login with a second factor and expires, the others don't.
fn vast_keys(vendor: &'static Vendor, local: &Local<'_>) -> Result<Vec<Credential>, ProviderError> {
    let of_xdg = local.xdg("XDG_CONFIG_HOME", ".config").join("vastai");
    let files = [of_xdg.join("vast_tfa_key"), of_xdg.join("vast_api_key"), local.home(".vast_api_key")];
    let mut keys = Vec::new();
    for path in files {
        if let Some(file) = Local::read(path)?
            && let Some(key) = file.token()
        {
            keys.push(file.found(vendor, key, file.place()));
        }
    }
    Ok(keys)
}

pub(super) fn runpod(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".runpod/config.toml"))? else { return Ok(None) };
    for (member, place) in
        [("/apiKey", "apiKey"), ("/apikey", "apiKey"), ("/default/api_key", "default.api_key")]
    {
        if let Some(key) = file.member(Format::Toml, member, "TOML")? {
            return Ok(Some(file.found(vendor, key, format!("`{place}` in {}", file.place()))));
        }
    }
    Ok(None)
}

pub(super) fn lambda(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".lambda_cloud/lambda_keys"))? else { return Ok(None) };
    let key = file.text()?.lines().find_map(|line| {
        let (name, value) = line.trim().split_once(" = ")?;
        (name.trim() == "api_key" && !value.trim().is_empty()).then(|| value.trim())
    });
    let key = key.map(|key| SecretValue::new(key.as_bytes().to_vec()));
    Ok(key.map(|key| file.found(vendor, key, file.place())))
}
