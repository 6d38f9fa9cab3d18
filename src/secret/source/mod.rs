//! Where secrets are kept: one file a source, one line of [`KINDS`] each.

mod answer;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod bw;
mod child;
mod command;
mod detached;
mod dotenv;
mod env;
mod file;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(any(feature = "gcp", feature = "kubernetes", feature = "vault"))]
mod http;
mod keyring;
mod kind;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lease;
mod op;
mod pass;
mod program;
mod remote;
#[cfg(feature = "vault")]
mod vault;

use std::fmt::Debug;

use futures_util::FutureExt;

use crate::name::SecretName;
use crate::secret::SecretValue;
use crate::text::closest;

pub use self::answer::Answer;
pub use self::answer::Answers;
pub use self::answer::Facts;
pub use self::answer::Item;
pub use self::answer::Member;
pub use self::answer::NewItem;
pub use self::answer::Remark;
pub use self::answer::SourceError;
pub use self::answer::Version;
pub(in crate::secret) use self::child::Running;
pub(crate) use self::child::is_at_terminal;
pub use self::command::Command;
pub use self::command::CommandSource;
pub(in crate::secret) use self::detached::detached;
pub use self::dotenv::Dotenv;

pub(in crate::secret) use self::dotenv::all as dotenv_all;
pub(in crate::secret) use self::dotenv::select as dotenv_select;
pub(in crate::secret) use self::dotenv::text as dotenv_text;
pub use self::env::Env;
pub use self::env::variables;
pub use self::file::FileVault;
pub use self::file::KeyOptions;
pub use self::keyring::Keychain;
pub use self::keyring::Keyring;
pub use self::kind::DEADLINE;
pub use self::kind::Form;
pub use self::kind::Key;
pub use self::kind::Kind;
pub use self::kind::Local;
pub use self::kind::Options;
pub use self::kind::RemoteKind;
pub use self::kind::Setting;
pub use self::kind::Setup;
pub use self::kind::TIMEOUT;
pub use self::lease::Lease;
pub use self::lease::Lent;
pub use self::remote::Remote;

/// All sources of this build, in the order in which help lists them.
pub static KINDS: &[&Kind] = &[
    &env::KIND,
    &dotenv::KIND,
    &keyring::KIND,
    &file::KIND,
    &command::KIND,
    #[cfg(feature = "aws")]
    &aws::MANAGER,
    #[cfg(feature = "aws")]
    &aws::PARAMETERS,
    #[cfg(feature = "azure")]
    &azure::KIND,
    #[cfg(feature = "gcp")]
    &gcp::KIND,
    #[cfg(feature = "kubernetes")]
    &kubernetes::KIND,
    #[cfg(feature = "vault")]
    &vault::KIND,
    &op::KIND,
    &bw::KIND,
    &pass::KIND,
];

/// Every scheme there is, and the cargo feature that it needs.
const SCHEMES: &[(&str, &str)] = &[
    ("env", ""),
    ("dotenv", ""),
    ("keyring", ""),
    ("file", ""),
    ("command", ""),
    ("aws", "aws"),
    ("ssm", "aws"),
    ("gcp", "gcp"),
    ("azure", "azure"),
    ("vault", "vault"),
    ("kubernetes", "kubernetes"),
    ("op", ""),
    ("bw", ""),
    ("pass", ""),
];

/// The kind of this scheme.
///
/// # Errors
///
/// When there is none, with what was probably meant.
pub fn kind(scheme: &str) -> Result<&'static Kind, UnknownSource> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.scheme == scheme) {
        return Ok(kind);
    }
    let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
    let scheme = scheme.to_owned();
    if let Some((_, feature)) = known {
        return Err(UnknownSource::NotBuilt { scheme, feature });
    }
    let names = SCHEMES.iter().map(|(scheme, _)| *scheme);
    let hint = match closest(&scheme, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the sources are {}",
            names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    Err(UnknownSource::Unknown { scheme, hint })
}

/// Why a scheme can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSource {
    /// This build left it out.
    #[error("source `{scheme}` is not built into this doppio: the feature `{feature}`")]
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

/// A place where secrets are kept. Values are bytes.
pub trait Source: Debug + Send + Sync {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// What messages call it, as in "the keychain".
    fn place(&self) -> String;

    /// How a plain name is written as a path here: what the source can't hold is replaced.
    fn spelling(&self, name: &SecretName) -> String {
        name.to_string()
    }

    /// The same for a property of one item that holds many secrets.
    fn property_spelling(&self, name: &SecretName) -> String {
        name.to_string()
    }

    /// The paths under which a plain name may be found here, the first one first; none where a
    /// name says too little.
    fn candidates(&self, name: &SecretName) -> Vec<String> {
        vec![self.spelling(name)]
    }

    /// What a property means, where items have members of their own: the keys of a Kubernetes
    /// Secret. Such a member may be any bytes, so it is not looked up in a text of the whole.
    fn member(&self, path: &str, property: &str) -> Option<Member> {
        let (_, _) = (path, property);
        None
    }

    /// The path to which a property of an item is written; none where only whole items are.
    fn member_to_write(&self, path: &str, property: &str) -> Option<String> {
        let member = self.member(path, property)?;
        member.rest.is_empty().then_some(member.path)
    }

    /// The command or deed that puts an item there.
    fn remedy(&self, path: &str) -> String;

    /// The deed that adds a member to an item that is there, and leaves the others; none where the
    /// source knows of no members.
    fn remedy_of_member(&self, path: &str, property: &str) -> Option<String> {
        let (_, _) = (path, property);
        None
    }

    /// Proves that the source can be used, without reading a value of the user's.
    fn check(&self) -> Answer<'_, ()>;

    /// The value and what is known of it.
    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)>;

    /// The same for several items, in their order: in one call where the source has one for that,
    /// and one after the other where it has none.
    fn get_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, (SecretValue, Facts)> {
        async move {
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                answers.push(self.get(&item.path, item.version.as_deref()).await);
            }
            answers
        }
        .boxed()
    }

    /// Whether reading the item does something: runs a program, makes credentials. Such an item
    /// is read when a step needs it, and never only to see whether it is there.
    fn acts<'a>(&'a self, path: &'a str) -> Answer<'a, bool> {
        let _: &str = path;
        async { Ok(false) }.boxed()
    }

    /// Whether finding out where an item is costs as much as reading it, so that both are done in
    /// one call.
    fn reads_to_locate(&self) -> bool {
        false
    }

    /// What is known of an item; the value is not read where the source allows that.
    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Facts> {
        async move { self.get(path, version).await.map(|(_, facts)| facts) }.boxed()
    }

    /// The same for several items, in their order.
    fn locate_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, Facts> {
        async move {
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                answers.push(self.locate(&item.path, item.version.as_deref()).await);
            }
            answers
        }
        .boxed()
    }

    /// Writes an item, replacing the one that is there.
    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Facts> {
        let (_, _, _) = (path, value, remark);
        read_only(&self.place(), "write to")
    }

    /// The same for several items, in their order: all of them or none where the source can do that
    /// in one write. Elsewhere one after the other, and the answers end with the first failure.
    fn set_many<'a>(&'a self, items: &'a [NewItem]) -> Answers<'a, Facts> {
        async move {
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                let answer = self.set(&item.path, &item.value, &item.remark).await;
                let has_failed = answer.is_err();
                answers.push(answer);
                if has_failed {
                    break;
                }
            }
            answers
        }
        .boxed()
    }

    /// Removes an item with all its versions.
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        let _: &str = path;
        read_only(&self.place(), "remove from")
    }

    /// Gives an item another path, with its versions where the source can do that. Nothing may be
    /// at `to`. Here the value is copied and read back before the old item goes.
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Answer<'a, ()> {
        async move {
            match self.locate(to, None).await {
                Err(SourceError::Missing) => {}
                Err(error) => return Err(error),
                Ok(_) => return Err(taken(to)),
            }
            let (value, facts) = self.get(from, None).await?;
            self.set(to, &value, &Remark { note: facts.note, expires: facts.expires }).await?;
            if !self.get(to, None).await?.0.is_same(&value) {
                return Err(SourceError::unreachable(
                    format!("{} gave back something else than was written to `{to}`", self.place()),
                    format!("`{from}` is as it was; remove `{to}`"),
                ));
            }
            self.delete(from).await.map_err(|error| {
                let hint = error.hint().unwrap_or("remove one of them").to_owned();
                SourceError::unreachable(format!("{error}; its copy at `{to}` is there already"), hint)
            })
        }
        .boxed()
    }

    /// What can still be had of an item that was just removed, and how to bring it back.
    fn remains(&self, path: &str) -> Option<String> {
        let _: &str = path;
        None
    }

    /// Why the last list does not hold all there is, if it does not.
    fn unlisted(&self) -> Option<SourceError> {
        None
    }

    /// The paths of all items and what is known of them.
    fn list(&self) -> Answer<'_, Vec<(String, Facts)>> {
        read_only(&self.place(), "list")
    }

    /// The versions of an item that are kept, the newest first.
    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        let _: &str = path;
        let cause = format!("{} keeps no versions", self.place());
        async move { Err(SourceError::Unfit { cause }) }.boxed()
    }

    /// Gives back what was lent for this run, such as the leases of dynamic secrets.
    fn close(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }
}

fn read_only<T: Send + 'static>(place: &str, deed: &str) -> Answer<'static, T> {
    let cause = format!("Doppio can't {deed} {place}");
    async move { Err(SourceError::Unfit { cause }) }.boxed()
}

/// The answer when an item would be put where one is.
fn taken(path: &str) -> SourceError {
    SourceError::Unfit { cause: format!("`{path}` is there already") }
}

/// The answer of a source without versions, when it is asked for one.
fn no_versions(place: &str, version: Option<&str>) -> Result<(), SourceError> {
    match version {
        None => Ok(()),
        Some(_) => Err(SourceError::Unfit { cause: format!("{place} keeps no versions") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_a_known_scheme() {
        for kind in KINDS {
            assert!(SCHEMES.iter().any(|(scheme, _)| *scheme == kind.scheme), "{}", kind.scheme);
        }
    }

    #[test]
    fn a_typo_and_a_feature_that_is_off_are_told_apart() {
        let fault = kind("keyrin").unwrap_err().to_string();
        assert_eq!(fault, "no source is called `keyrin`: did you mean `keyring`?");
        for (scheme, feature) in SCHEMES.iter().filter(|(scheme, _)| kind(scheme).is_err()) {
            let fault = kind(scheme).unwrap_err();
            assert!(matches!(fault, UnknownSource::NotBuilt { feature: found, .. } if found == *feature));
        }
    }
}
