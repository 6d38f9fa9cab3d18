//! Anthropic: `anthropic/lib/credentials/_chain.py`.

use std::path::PathBuf;

use doppio_text::shell::typed;

use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::credential::seconds;
use crate::vendor::row::Looked;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let is_set = |name: &&str| local.text(name).is_some();
    let by_identity = ["ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID"].iter().all(is_set)
        && ["ANTHROPIC_IDENTITY_TOKEN_FILE", "ANTHROPIC_IDENTITY_TOKEN"].iter().any(is_set);
    if by_identity && local.name("ANTHROPIC_PROFILE").is_none() {
        let place = "variable `ANTHROPIC_FEDERATION_RULE_ID`".to_owned();
        return Ok(Some(Credential::refused(vendor, place, "the identity is that of this machine")));
    }
    let folder = local.path("ANTHROPIC_CONFIG_DIR").unwrap_or_else(|| local.home(".config/anthropic"));
    let profile = match local.name("ANTHROPIC_PROFILE") {
        Some(profile) => profile.to_owned(),
        None => match Local::read(folder.join("active_config"))? {
            Some(file) => file.text()?.trim().to_owned(),
            None => String::new(),
        },
    };
    let profile = if profile.is_empty() { "default".to_owned() } else { profile };
    if profile.contains(['/', '\\']) || profile.starts_with('.') {
        return Err(ProviderError {
            cause: format!("`{profile}` is not a name of an Anthropic profile"),
            hint: "set `ANTHROPIC_PROFILE` to the name of a file in `configs/`, without `.json`".to_owned(),
        });
    }
    // A profile is a file of settings, and another one with the token.
    let Some(config) = Local::read(folder.join(format!("configs/{profile}.json")))? else { return Ok(None) };
    let path = match config.json_text("/authentication/credentials_path")? {
        Some(path) => folder.join(local.below_home(&PathBuf::from(path))),
        None => folder.join(format!("credentials/{profile}.json")),
    };
    let Some(file) = Local::read(path)? else { return Ok(None) };
    if let Some(warning) = file.warning {
        return Err(ProviderError {
            cause: format!("Anthropic's own tools refuse this file: {warning}"),
            hint: format!("run {}", typed(["chmod", "600", &file.path.display().to_string()])),
        });
    }
    let Some(token) = file.json("/access_token")? else { return Ok(None) };
    let end = file.json_text("/expires_at")?.and_then(|text| text.parse().ok()).and_then(seconds);
    // The token that refreshes it stays here: used elsewhere, it would log the user out.
    let found = Credential::of(vendor, &vendor.sets[1][0], token, file.place());
    Ok(Some(found.ending(end)))
}
