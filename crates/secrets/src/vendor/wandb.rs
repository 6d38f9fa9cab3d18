//! Weights & Biases: `wandb/sdk/lib/wbauth`.

use std::path::PathBuf;

use crate::SecretValue;
use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::netrc_text;
use crate::vendor::row::Looked;

/// Where the vendor's own service is.
pub(super) const HOME: &str = "https://api.wandb.ai";

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let identity = local.path("WANDB_IDENTITY_TOKEN_FILE");
    if let Some(found) = local.set(vendor, vendor.sets[0]) {
        if identity.is_some() {
            return Err(ProviderError {
                cause: "both `WANDB_API_KEY` and `WANDB_IDENTITY_TOKEN_FILE` are set, which wandb refuses"
                    .to_owned(),
                hint: "unset one of them".to_owned(),
            });
        }
        return Ok(Some(found));
    }
    if let Some(path) = identity {
        let place = format!("`{}`", path.display());
        return Ok(Some(Credential::refused(
            vendor,
            place,
            "an identity token belongs to this machine; wandb makes short-lived keys from it",
        )));
    }
    let Some(file) = Local::read(netrc_path(local))? else { return Ok(None) };
    let logins = netrc_text::parse(file.text()?)
        .map_err(|fault| file.broken(&format!("line {} is not netrc syntax", fault.0)))?;
    let base = local.text("WANDB_BASE_URL").map(str::to_owned).or_else(|| base_url(local));
    let machine = machine(base.as_deref().unwrap_or(HOME));
    let Some(login) = netrc_text::find(&logins, machine) else { return Ok(None) };
    if login.password.trim().is_empty() {
        return Ok(None);
    }
    let key = SecretValue::new(login.password.trim().as_bytes().to_vec());
    let place = format!("machine `{machine}` in {}", file.place());
    Ok(Some(file.found(vendor, key, place)))
}

/// The server that the settings file names, as `wandb login --host` writes it there.
fn base_url(local: &Local<'_>) -> Option<String> {
    let folder = local.path("WANDB_CONFIG_DIR").unwrap_or_else(|| local.home(".config/wandb"));
    let file = Local::read(folder.join("settings")).ok()??;
    let ini = file.ini().ok()?;
    let url = ini.section("default")?.get("base_url")?.trim_end_matches('/').to_owned();
    Some(url).filter(|url| url.contains("://") && url != HOME)
}

/// Without it the far side would send its data to the vendor's own service.
pub(super) fn defaults(local: &Local<'_>) -> Vec<(&'static str, String)> {
    base_url(local).map(|url| ("WANDB_BASE_URL", url)).into_iter().collect()
}

/// `NETRC`, else the one of two that is there.
pub(super) fn netrc_path(local: &Local<'_>) -> PathBuf {
    local.path("NETRC").unwrap_or_else(|| {
        let usual = local.home(".netrc");
        let other = local.home("_netrc");
        if !usual.exists() && other.exists() { other } else { usual }
    })
}

/// The machine of an address, with its port if it has one.
fn machine(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    place.rsplit_once('@').map_or(place, |(_, place)| place)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_is_what_stands_between_scheme_and_path() {
        assert_eq!(super::machine("https://api.wandb.ai"), "api.wandb.ai");
        assert_eq!(super::machine("http://wb.example:8080/x"), "wb.example:8080");
    }
}
