//! `[VAULT/]NAME`.

use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

/// Which secret is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// None for the vault of the settings.
    pub vault: Option<&'a str>,
    pub name: &'a str,
}

impl<'a> Path<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, SourceError> {
        let (vault, name) = match text.split_once('/') {
            Some((vault, name)) => (Some(vault), name),
            None => (None, text),
        };
        if let Some(vault) = vault.filter(|vault| !is_vault(vault)) {
            return Err(SourceError::unfit(format!(
                "`{vault}` is not the name of a Key Vault: use letters, digits and `-`, 3 to 24 of them"
            )));
        }
        if !is_name(name) {
            return Err(SourceError::unfit(format!(
                "`{name}` is not a name of Key Vault: use letters, digits and `-`, at most 127"
            )));
        }
        Ok(Self { vault, name })
    }

    /// The address of its vault.
    pub(super) fn vault(&self, setup: &Setup) -> Result<String, SourceError> {
        self.vault.map_or_else(|| vault_of_settings(setup), |vault| Ok(address(vault, setup)))
    }
}

pub(super) fn vault_of_settings(setup: &Setup) -> Result<String, SourceError> {
    match setup.options.text("vault") {
        Some(vault) if vault.starts_with("https://") => Ok(vault.to_owned()),
        Some(vault) if is_vault(vault) => Ok(address(vault, setup)),
        Some(vault) => Err(SourceError::unfit(format!(
            "`vault = \"{vault}\"` of `[sources.azure]` is neither the name of a Key Vault nor an https address"
        ))),
        None => Err(SourceError::unreachable(
            "no vault is named",
            "write `azure:VAULT/NAME`, or `vault = \"VAULT\"` to `[sources.azure]` in config.toml",
        )),
    }
}

fn address(vault: &str, setup: &Setup) -> String {
    format!("https://{vault}.{}", setup.options.text("suffix").unwrap_or("vault.azure.net"))
}

/// A version as it may stand in a path.
pub(super) fn version(text: &str) -> Result<&str, SourceError> {
    if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text)
    } else {
        Err(SourceError::unfit(format!(
            "`{text}` is not a version of Key Vault: those are 32 letters and digits, see `doppio secret history`"
        )))
    }
}

fn is_vault(text: &str) -> bool {
    (3..=24).contains(&text.len()) && is_name(text)
}

fn is_name(text: &str) -> bool {
    (1..=127).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_and_a_name() {
        let path = Path::parse("ml-prod/db-url").unwrap();
        assert_eq!((path.vault, path.name), (Some("ml-prod"), "db-url"));
        assert_eq!(Path::parse("db-url").unwrap().vault, None);
        for text in ["ml/prod/db", "db_url", "a/b", "", "evil.com#/x", "vault/..", "my.vault/name"] {
            assert!(matches!(Path::parse(text), Err(SourceError::Unfit { .. })), "{text}");
        }
        assert!(version("0123456789abcdef0123456789abcdef").is_ok());
        assert!(version("../x").is_err() && version("").is_err());
    }
}
