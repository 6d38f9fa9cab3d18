//! All sources of a program: those of this crate, and those that it is handed.

use doppio_text::closest;

use crate::source::Kind;
use crate::source::age_vault;
use crate::source::bw;
use crate::source::command;
use crate::source::dotenv;
use crate::source::env;
use crate::source::keyring;
use crate::source::op;
use crate::source::pass;
use crate::source::setup::RemoteSource;

/// The sources that a program can use, in the order in which help lists them: those of this
/// machine, the stores that it was handed, and the password managers' programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceKinds {
    stores: &'static [RemoteSource],
    left_out: &'static [(&'static str, &'static str)],
}

/// The kinds that every ladder has.
const LOCAL: [&Kind; 5] = [&env::KIND, &dotenv::KIND, &keyring::KIND, &age_vault::KIND, &command::KIND];

/// The programs of password managers.
static PROGRAMS: [RemoteSource; 3] = [op::SOURCE, bw::SOURCE, pass::SOURCE];

impl SourceKinds {
    /// The sources of this crate and `stores`. `left_out` has the schemes that this build could
    /// have and has not, each with the cargo feature that it needs.
    pub const fn new(
        stores: &'static [RemoteSource],
        left_out: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { stores, left_out }
    }

    /// All kinds.
    pub fn all(self) -> impl Iterator<Item = &'static Kind> {
        let stores = self.stores.iter().chain(&PROGRAMS);
        LOCAL.into_iter().chain(stores.map(|source| source.kind))
    }

    /// The sources that are made from their settings.
    pub fn remote(self) -> impl Iterator<Item = &'static RemoteSource> {
        self.stores.iter().chain(&PROGRAMS)
    }

    /// The kind of this scheme.
    ///
    /// # Errors
    ///
    /// When there is none, with what was probably meant.
    pub fn find(self, scheme: &str) -> Result<&'static Kind, UnknownSource> {
        if let Some(kind) = self.all().find(|kind| kind.scheme == scheme) {
            return Ok(kind);
        }
        let left_out = self.left_out.iter().find(|(known, _)| *known == scheme);
        let scheme = scheme.to_owned();
        if let Some((_, feature)) = left_out {
            return Err(UnknownSource::NotBuilt { scheme, feature });
        }
        let names =
            || self.all().map(|kind| kind.scheme).chain(self.left_out.iter().map(|(known, _)| *known));
        let hint = match closest(&scheme, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "the sources are {}",
                names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        Err(UnknownSource::Unknown { scheme, hint })
    }
}

/// Why a scheme can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSource {
    /// This build left it out.
    #[error("source `{scheme}` is not in this build of doppio: it needs the feature `{feature}`")]
    NotBuilt {
        /// The scheme as written.
        scheme: String,
        /// The cargo feature that it needs.
        feature: &'static str,
    },
    /// This ladder was made without it.
    #[error("source `{scheme}` can't be asked here")]
    Elsewhere {
        /// The scheme as written.
        scheme: String,
    },
    /// Nobody knows it.
    #[error("no source is called `{scheme}`: {hint}")]
    Unknown {
        /// The scheme as written.
        scheme: String,
        /// What there is.
        hint: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_and_a_feature_that_is_off_are_told_apart() {
        let kinds = SourceKinds::new(&[], &[("aws", "aws")]);
        let fault = kinds.find("keyrin").unwrap_err().to_string();
        assert_eq!(fault, "no source is called `keyrin`: did you mean `keyring`?");
        let fault = kinds.find("aws").unwrap_err();
        assert_eq!(fault, UnknownSource::NotBuilt { scheme: "aws".to_owned(), feature: "aws" });
    }
}
