//! Providers that keep several credentials on one machine: profiles, hosts, registries.

use crate::vendor::Local;
use crate::vendor::ProviderError;

/// The number of names that are listed.
const TOLD: usize = 12;

/// What a provider has more than one of.
#[derive(Debug)]
pub struct Accounts {
    /// The word for one, as in "profile".
    pub one: &'static str,
    /// What those of this machine are called.
    pub(super) names: fn(&Local<'_>) -> Vec<String>,
}

impl Accounts {
    /// In what words the provider of this name has no credential of the one that is asked for; none
    /// where none of several is.
    pub(super) fn lack(&self, name: &str, local: &Local<'_>) -> Option<ProviderError> {
        let (Self { one, names }, asked) = (self, local.asked()?);
        let mut names = names(local);
        names.sort();
        names.dedup();
        if names.iter().any(|known| known == asked) {
            return Some(ProviderError {
                cause: format!("{one} `{asked}` of `{name}` has no credential on this machine"),
                hint: "log in with the provider's own tool".to_owned(),
            });
        }
        let more = if names.len() > TOLD { " and others" } else { "" };
        names.truncate(TOLD);
        let there = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Some(ProviderError {
            cause: format!("`{name}` has no {one} `{asked}` on this machine"),
            hint: match names.len() {
                0 => "there is none; log in with the provider's own tool".to_owned(),
                1 => format!("there is {there}"),
                _ => format!("there are {there}{more}"),
            },
        })
    }
}
