//! Where secrets are kept: one file a source, one line of [`KINDS`] each.

mod command;
mod detached;
mod dotenv;
mod env;
mod file;
mod keyring;

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::name::SecretName;
use crate::secret::SecretValue;
use crate::text::closest;

pub use self::command::Command;
pub use self::command::CommandSource;
pub use self::dotenv::Dotenv;
pub(in crate::secret) use self::dotenv::select as dotenv_select;
pub use self::env::Env;
pub use self::env::variables;
pub use self::file::FileVault;
pub use self::file::KeyOptions;
pub use self::keyring::Keychain;
pub use self::keyring::Keyring;

/// What is known of a source without asking it.
#[derive(Debug)]
pub struct Kind {
    /// What stands before the colon of a reference, as in `env`.
    pub scheme: &'static str,
    /// One line for help and docs.
    pub summary: &'static str,
    /// Whether Doppio can write to it.
    pub writes: bool,
    /// Whether it keeps older versions.
    pub versions: bool,
}

/// All sources that are built, in the order in which help lists them.
pub static KINDS: &[&Kind] = &[&env::KIND, &dotenv::KIND, &keyring::KIND, &file::KIND, &command::KIND];

/// Sources that are known by name and not built yet.
const LATER: &[&str] = &["aws", "ssm", "gcp", "azure", "vault", "kubernetes", "op", "bw", "pass"];

/// The kind of this scheme.
///
/// # Errors
///
/// When there is none, with what was probably meant.
pub fn kind(scheme: &str) -> Result<&'static Kind, UnknownSource> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.scheme == scheme) {
        return Ok(kind);
    }
    let scheme = scheme.to_owned();
    if LATER.contains(&scheme.as_str()) {
        return Err(UnknownSource::NotBuilt { scheme });
    }
    let names = KINDS.iter().map(|kind| kind.scheme);
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
    /// It will come.
    #[error("source `{scheme}` is not built yet")]
    NotBuilt {
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

/// What a source says of an item besides its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Where exactly it was found, as in "variable `HF_TOKEN`".
    pub place: String,
    /// When this version was written.
    pub created: Option<jiff::Timestamp>,
    /// When it stops being good.
    pub expires: Option<jiff::Timestamp>,
    /// What the user wrote beside it.
    pub note: Option<String>,
    /// Which version, where versions are kept.
    pub version: Option<u32>,
    /// Where it may go, in the words of the user.
    pub exposure: Option<String>,
    /// Set when the source can't say whether it is there without handing it out.
    pub unproven: bool,
    /// What the user should know, as an open file mode.
    pub warnings: Vec<String>,
}

/// What is written beside a value.
#[derive(Debug, Clone, Default)]
pub struct Remark {
    /// Words of the user.
    pub note: Option<String>,
    /// When it stops being good.
    pub expires: Option<jiff::Timestamp>,
}

/// Why a source gives nothing. The variants keep apart what is not there, what is not allowed,
/// and what could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source was asked, and has no such item.
    #[error("it is not there")]
    Missing,
    /// This machine has no such source: no session bus, no vault.
    #[error("{cause}")]
    Absent {
        /// What is not there.
        cause: String,
    },
    /// The source refused.
    #[error("{cause}")]
    NotAllowed {
        /// Its own words.
        cause: String,
        /// What to do.
        hint: String,
    },
    /// The source could not be asked: locked, broken, out of reach, past its deadline.
    #[error("{cause}")]
    Unreachable {
        /// Its own words.
        cause: String,
        /// What to do.
        hint: String,
    },
    /// What was asked for makes no sense here.
    #[error("{cause}")]
    Unfit {
        /// What is wrong.
        cause: String,
    },
}

impl SourceError {
    fn not_allowed(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::NotAllowed { cause: cause.into(), hint: hint.into() }
    }

    fn unreachable(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unreachable { cause: cause.into(), hint: hint.into() }
    }

    /// What to do, if there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NotAllowed { hint, .. } | Self::Unreachable { hint, .. } => Some(hint),
            Self::Missing | Self::Absent { .. } | Self::Unfit { .. } => None,
        }
    }
}

/// What a source answers, when it has waited for it.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, SourceError>>;

/// A member of an item that the source hands out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path.
    pub path: String,
    /// What is to be looked up inside its value.
    pub rest: Option<String>,
}

/// A place where secrets are kept. Values are bytes.
pub trait Source: Debug + Send + Sync {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// What messages call it, as in "the keychain".
    fn place(&self) -> String;

    /// The paths under which a plain name may be found here, the first one first.
    fn candidates(&self, name: &SecretName) -> Vec<String> {
        vec![name.to_string()]
    }

    /// What a property means, where items have members of their own: the keys of a Kubernetes
    /// Secret. Such a member may be any bytes, so it is not looked up in a text of the whole.
    fn member(&self, path: &str, property: &str) -> Option<Member> {
        let (_, _) = (path, property);
        None
    }

    /// The command or deed that puts an item there.
    fn remedy(&self, path: &str) -> String;

    /// Proves that the source can be used, without reading a value of the user's.
    fn check(&self) -> Answer<'_, ()>;

    /// The value and what is known of it.
    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)>;

    /// What is known of an item; the value is not read where the source allows that.
    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Facts> {
        async move { self.get(path, version).await.map(|(_, facts)| facts) }.boxed()
    }

    /// Writes an item, replacing the one that is there.
    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Facts> {
        let (_, _, _) = (path, value, remark);
        read_only(&self.place(), "write to")
    }

    /// Removes an item with all its versions.
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        let _: &str = path;
        read_only(&self.place(), "remove from")
    }

    /// The paths of all items and what is known of them.
    fn list(&self) -> Answer<'_, Vec<(String, Facts)>> {
        read_only(&self.place(), "list")
    }
}

fn read_only<T: Send + 'static>(place: &str, deed: &str) -> Answer<'static, T> {
    let cause = format!("Doppio can't {deed} {place}");
    async move { Err(SourceError::Unfit { cause }) }.boxed()
}

/// The answer of a source without versions, when it is asked for one.
fn no_versions(place: &str, version: Option<&str>) -> Result<(), SourceError> {
    match version {
        None => Ok(()),
        Some(_) => Err(SourceError::Unfit { cause: format!("{place} keeps no versions") }),
    }
}
