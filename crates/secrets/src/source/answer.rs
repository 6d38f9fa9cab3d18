//! What sources answer: metadata, versions, and why there is nothing.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::SecretValue;
use crate::source::Lease;

/// What a source says of an item besides its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Where exactly it was found, as in "variable `HF_TOKEN`".
    pub place: String,
    /// When this version was written.
    pub created: Option<Timestamp>,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// What the user wrote beside it.
    pub note: Option<String>,
    /// Which version, where versions are kept: a number or an identifier, as `@VERSION` takes it.
    pub version: Option<String>,
    /// Where it may go, in the words of the user.
    pub exposure: Option<String>,
    /// Set when the source can't say whether it is there without handing it out.
    pub unproven: bool,
    /// Set when reading will make it, for whoever asks, and it ends with those who need it.
    pub is_made: bool,
    /// Set when reading made it, for whoever asked.
    pub lease: Option<Lease>,
    /// What the user should know, as an open file mode.
    pub warnings: Vec<String>,
}

impl Metadata {
    /// Whether it has expired: a remembered value must not be given out.
    pub fn is_over(&self) -> bool {
        self.expires.is_some_and(|end| end <= Timestamp::now())
            || self.lease.as_ref().is_some_and(Lease::is_over)
    }
}

/// The words for versions that every source understands: the one in force, the one that was before it,
/// and a new one that `rotate` has not put in force yet.
pub const CURRENT: [&str; 2] = ["latest", "current"];
/// See [`CURRENT`].
pub const PREVIOUS: &str = "previous";
/// See [`CURRENT`].
pub const PENDING: &str = "pending";

/// One version of an item, as [`versions`](super::Source::versions) tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// What `@VERSION` takes: a number or an identifier.
    pub id: String,
    /// When it was written.
    pub created: Option<Timestamp>,
    /// The source's own words for it, as `AWSCURRENT` or `deleted`.
    pub labels: Vec<String>,
    /// Whether a reference without a version gets this one.
    pub current: bool,
    /// Whether its value can still be had.
    pub readable: bool,
}

/// What is written beside a value. A note is about the secret and an expiry about one value of it:
/// a new value keeps the note that is there unless another is given, and never has the expiry of the
/// value before.
#[derive(Debug, Clone, Default)]
pub struct Remark {
    /// Words of the user; an empty text removes those that are there.
    pub note: Option<String>,
    /// When the value stops being good.
    pub expires: Option<Timestamp>,
}

impl Remark {
    /// What becomes of a note and an expiry that are kept as texts under these names: none removes
    /// one, and what is not named stays.
    pub fn texts<'a>(
        &self,
        note: &'a str,
        expires: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<String>)> {
        let said = self.note.clone().map(|said| (note, Some(said).filter(|said| !said.is_empty())));
        said.into_iter().chain([(expires, self.expires.map(|end| end.to_string()))])
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.note.is_none() && self.expires.is_none()
    }

    /// The warning when a value is in force and this could not be written beside it.
    pub fn unwritten(&self, error: &SourceError) -> String {
        if self.is_empty() {
            return format!(
                "the value was written, but the expiry of the previous one is still attached: {error}"
            );
        }
        format!("the value was written, but its note and its expiry were not: {error}")
    }
}

/// One thing to ask a source for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// The path as the source understands it.
    pub path: String,
    /// Which version; none for the current one.
    pub version: Option<String>,
}

impl Item {
    /// The item at `path`.
    pub fn new(path: &str, version: Option<&str>) -> Self {
        Self { path: path.to_owned(), version: version.map(str::to_owned) }
    }
}

/// One thing to put into a source.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The path as the source understands it.
    pub path: String,
    /// Its value.
    pub value: SecretValue,
    /// What is written beside it.
    pub remark: Remark,
}

/// A member of an item that the source hands out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path.
    pub path: String,
    /// What is to be looked up inside its value, one after the other.
    pub rest: Vec<String>,
}

impl Member {
    /// The key that a property begins with, and the pointer that goes on inside its value.
    pub fn split(property: &str) -> (Cow<'_, str>, Option<String>) {
        let Some(pointer) = property.strip_prefix('/') else { return (Cow::Borrowed(property), None) };
        let (key, rest) = pointer.split_once('/').map_or((pointer, None), |(key, rest)| (key, Some(rest)));
        // As RFC 6901 has it.
        let key = if key.contains('~') {
            Cow::Owned(key.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(key)
        };
        (key, rest.map(|rest| format!("/{rest}")))
    }
}

/// Why a source gives nothing. The variants keep apart what is not there, what is not allowed,
/// and what could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source was asked, and has no such item.
    #[error("it does not exist")]
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
    /// The source refused.
    pub fn not_allowed(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::NotAllowed { cause: cause.into(), hint: hint.into() }
    }

    /// The source could not be asked.
    pub fn unreachable(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unreachable { cause: cause.into(), hint: hint.into() }
    }

    /// The question does not fit the source.
    pub fn unfit(cause: impl Into<String>) -> Self {
        Self::Unfit { cause: cause.into() }
    }

    /// A value that is longer than `service` keeps; `longest` is in bytes.
    pub fn too_long(service: &str, longest: usize) -> Self {
        Self::unfit(format!(
            "{service} accepts no value over {longest} bytes: split it, or store it elsewhere"
        ))
    }

    /// A value that is not UTF-8 text, for a service that keeps nothing else.
    pub fn not_text(service: &str) -> Self {
        Self::unfit(format!("{service} accepts only text (UTF-8): store it as base64, or elsewhere"))
    }

    /// What to do, if there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NotAllowed { hint, .. } | Self::Unreachable { hint, .. } => Some(hint),
            Self::Missing | Self::Absent { .. } | Self::Unfit { .. } => None,
        }
    }
}

/// What a source answers.
pub type Answer<T> = Result<T, SourceError>;
