//! Hugging Face: `huggingface_hub/utils/_auth.py` and `constants.py`.

use std::path::PathBuf;

use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::credential::seconds;
use crate::vendor::local::variable;
use crate::vendor::row::Looked;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    if let Some(resource) = local.text("HF_OIDC_RESOURCE") {
        let place = format!("variable `HF_OIDC_RESOURCE`, for `{resource}`");
        let why = "a job of the build service exchanges its identity for a token, which only it can do";
        return Ok(Some(Credential::refused(vendor, place, why)));
    }
    // The first that is set counts, even if it is blank: the other one is not looked at then.
    if let Some(name) = vendor.sets[0][0].read.iter().find(|name| local.env().get(name).is_some())
        && let Some(token) = local.token(name)
    {
        return Ok(Some(vendor.found(token, variable(name))));
    }
    let Some(file) = Local::read(token_path(local))? else { return Ok(None) };
    let Some(token) = file.token() else { return Ok(None) };
    let end = end(local, token.plain());
    Ok(Some(file.found(vendor, token, file.place()).ending(end)))
}

/// The folder of the Hub's files.
fn hub_home(local: &Local<'_>) -> PathBuf {
    local.path("HF_HOME").unwrap_or_else(|| {
        let cache = local.path("XDG_CACHE_HOME").unwrap_or_else(|| local.home(".cache"));
        cache.join("huggingface")
    })
}

fn token_path(local: &Local<'_>) -> PathBuf {
    local.path("HF_TOKEN_PATH").unwrap_or_else(|| hub_home(local).join("token"))
}

/// When the token ends, if it is one of a login in the browser, which stands in `stored_tokens`.
fn end(local: &Local<'_>, token: &[u8]) -> Option<jiff::Timestamp> {
    let path = token_path(local).parent()?.join("stored_tokens");
    let file = Local::read(path).ok()??;
    let ini = file.ini().ok()?;
    let stored = ini.sections().find(|section| section.get("hf_token").map(str::as_bytes) == Some(token))?;
    let text = stored.get("expires_at")?;
    text.parse::<f64>().ok().and_then(seconds).or_else(|| text.parse().ok())
}
