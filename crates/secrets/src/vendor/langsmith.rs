//! `LangSmith`: `langsmith/utils.py` and `_internal/_profiles.py`.

use jiff::Timestamp;

use crate::SecretValue;
use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::local::variable;
use crate::vendor::row::Looked;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    if let Some((token, place)) = local.first(vendor.sets[0][0].read) {
        return Ok(Some(vendor.found(bare(&token), place)));
    }
    let path = local.path("LANGSMITH_CONFIG_FILE").unwrap_or_else(|| local.home(".langsmith/config.json"));
    let Some(file) = Local::read(path)? else { return Ok(None) };
    let profile = match local.name("LANGSMITH_PROFILE") {
        Some(profile) => profile.to_owned(),
        None => file.json_text("/current_profile")?.unwrap_or_else(|| "default".to_owned()),
    };
    let below =
        |member: &str| format!("/profiles/{}/{member}", profile.replace('~', "~0").replace('/', "~1"));
    let place = |what: &str| format!("`{what}` of profile `{profile}` in {}", file.place());
    let found = if let Some(token) = file.json(&below("oauth/access_token"))? {
        let end = file.json_text(&below("oauth/expires_at"))?.and_then(|text| text.parse::<Timestamp>().ok());
        vendor.found(bare(&token), place("oauth")).ending(end)
    } else if let Some(token) = file.json(&below("api_key"))? {
        vendor.found(bare(&token), place("api_key"))
    } else if file.json_text(&below("secret_store"))?.as_deref() == Some("keychain") {
        let why = "the profile keeps it in the keychain, for LangSmith's own command line only";
        Credential::refused(vendor, place("secret_store"), why)
    } else if let Some(name) = file.json_text(&below("api_key_env"))? {
        let Some(token) = local.token(name.trim()) else { return Ok(None) };
        vendor.found(bare(&token), variable(name.trim()))
    } else if file.json(&below("api_key_cmd"))?.is_some() {
        let why = "the profile gets it from a program, which Doppio does not run";
        Credential::refused(vendor, place("api_key_cmd"), why)
    } else {
        return Ok(None);
    };
    let mut found = found.warning(file.warning.clone());
    for (variable, member) in [("LANGSMITH_ENDPOINT", "api_url"), ("LANGSMITH_WORKSPACE_ID", "workspace_id")]
    {
        if local.text(variable).is_none()
            && let Some(value) = file.json_text(&below(member))?
        {
            if member == "api_url" {
                found.only_for = Some(value.clone());
            }
            found.settings.push((variable.to_owned(), value));
        }
    }
    Ok(Some(found))
}

/// The key without the quotes that people put around it.
fn bare(token: &SecretValue) -> SecretValue {
    let mut bytes = token.plain().trim_ascii();
    for quote in *b"\"'" {
        while let [rest @ .., last] = bytes
            && *last == quote
        {
            bytes = rest;
        }
        while let [first, rest @ ..] = bytes
            && *first == quote
        {
            bytes = rest;
        }
    }
    SecretValue::new(bytes.to_vec())
}
