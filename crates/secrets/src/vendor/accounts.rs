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
    /// The variables that choose one, in the vendor's order.
    pub(super) chosen_by: &'static [&'static str],
    /// Which one counts where nothing chooses; empty where that is no name.
    pub(super) usual: &'static str,
    /// What those of this machine are called.
    pub(super) names: fn(&Local<'_>) -> Vec<String>,
}

impl Accounts {
    /// Those that only a recipe or the command line chooses from.
    pub(super) const fn of(one: &'static str, names: fn(&Local<'_>) -> Vec<String>) -> Self {
        Self { one, chosen_by: &[], usual: "", names }
    }

    /// In what words the provider of this name has no credential of the one that is asked for, or that a
    /// variable chooses; none where neither does and there is none to choose from.
    pub(super) fn lack(&self, name: &str, local: &Local<'_>) -> Option<ProviderError> {
        let Self { one, .. } = self;
        let mut names = (self.names)(local);
        names.sort();
        names.dedup();
        let by_variable =
            || self.chosen_by.iter().find_map(|variable| Some((*variable, local.text(variable)?)));
        let (asked, by) = match (local.asked(), by_variable()) {
            (Some(asked), _) => (asked, None),
            (None, Some((variable, chosen))) => (chosen, Some(variable)),
            // Without a usual one there is nothing that was expected.
            (None, None) if self.usual.is_empty() || names.is_empty() => return None,
            (None, None) => (self.usual, None),
        };
        let by = by.map_or_else(String::new, |variable| format!(", which `{variable}` names"));
        if names.iter().any(|known| known == asked) {
            return Some(ProviderError {
                cause: format!("{one} `{asked}` of `{name}`{by} has no credential on this machine"),
                hint: "log in with the provider's own tool".to_owned(),
            });
        }
        let more = if names.len() > TOLD { " and others" } else { "" };
        names.truncate(TOLD);
        let there = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let first =
            names.first().map_or_else(String::new, |first| format!("; name one as in `{name}:{first}`"));
        Some(ProviderError {
            cause: format!("`{name}` has no {one} `{asked}` on this machine{by}"),
            hint: match names.len() {
                0 => "there is none; log in with the provider's own tool".to_owned(),
                1 => format!("there is {there}{first}"),
                _ => format!("there are {there}{more}{first}"),
            },
        })
    }
}
