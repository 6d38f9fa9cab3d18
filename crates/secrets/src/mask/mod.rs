//! The mask: everything leaves through it.
//!
//! [`Mask::register`] compiles a value into all the forms in which a program may print it; every
//! output goes through a [`MaskStream`], every text of our own through [`Mask::text`], and only
//! what comes out, [`Masked`], can be stored or shown.

mod encode;
mod encode_shell;
mod forms;
mod known;
mod masked;
mod normalised;
mod parts;
mod pattern;
mod policy;
mod render;
mod shared;
mod stream;
mod style;
mod table;
mod view;

use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::SecretValue;
use crate::mask::known::Known;
use crate::mask::shared::Shared;

pub(crate) use forms::compile;
pub use masked::Masked;
pub(crate) use parts::telling;
pub use pattern::Encoding;
pub(crate) use pattern::Pattern;
pub(crate) use pattern::Rule;
pub(crate) use policy::LONGEST;
pub(crate) use policy::SHORTEST;
pub use policy::Weakness;
pub use stream::MaskStream;
pub use style::MaskStyle;

/// All patterns together may have this size; past it the mask closes. In bytes.
const MOST: usize = 512 * 1024 * 1024;

/// Why a value can't be masked, and so must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmaskable {
    /// Under four bytes: masking it would blank out ordinary text.
    #[error("secret `{name}` is too short to be masked")]
    TooShort {
        /// The secret.
        name: String,
    },
    /// Over 256 KiB.
    #[error("secret `{name}` is too long to be masked")]
    TooLong {
        /// The secret.
        name: String,
    },
    /// With all other secrets, it takes more memory than a mask may have. All output is withheld
    /// from then on, since the value may be known outside.
    #[error("secret `{name}` can't be masked together with so many others")]
    TooMany {
        /// The secret.
        name: String,
    },
}

/// What is to be masked: one per run, cheap to clone, more may be registered while it is in use.
#[derive(Clone, Default)]
pub struct Mask {
    shared: Arc<Shared>,
}

/// Closes the mask unless a value was learnt, come what may: nothing leaves any more then.
struct Guard<'a> {
    shared: &'a Shared,
    registered: bool,
}

impl Guard<'_> {
    fn disarm(mut self) {
        self.registered = true;
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.registered {
            self.shared.closed.store(true, Ordering::Release);
        }
    }
}

impl Mask {
    /// An empty mask.
    pub fn new(style: MaskStyle) -> Self {
        let mask = Self::default();
        *mask.shared.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Known::new(style));
        mask
    }

    /// Registers a value with the mask, in all its encodings. From then on nothing that contains it
    /// leaves a stream, those already open included.
    ///
    /// # Errors
    ///
    /// When the value is too short or too long, or when there are too many: it must not be used
    /// then, and of too many nothing leaves any more.
    pub fn register(&self, name: &str, value: &SecretValue) -> Result<(), Unmaskable> {
        let plain = value.plain();
        let core = plain.trim_ascii();
        if core.len() < SHORTEST {
            return Err(Unmaskable::TooShort { name: name.to_owned() });
        }
        if plain.len() > LONGEST {
            return Err(Unmaskable::TooLong { name: name.to_owned() });
        }
        let guard = Guard { shared: &self.shared, registered: false };
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        let secret = u32::try_from(known.number(name)).unwrap_or(u32::MAX);
        if let Some(next) = known.with(name, compile(plain, secret)) {
            if next.size() > MOST {
                return Err(Unmaskable::TooMany { name: name.to_owned() });
            }
            self.shared.version.store(next.version(), Ordering::Release);
            *known = Arc::new(next);
        }
        guard.disarm();
        Ok(())
    }

    /// Masks a text that is whole.
    pub fn text(&self, text: &str) -> Masked {
        if self.shared.known().is_empty() && !self.shared.is_closed() {
            return Masked::new(text.to_owned());
        }
        let mut stream = self.stream();
        let mut masked = stream.push(text.as_bytes());
        masked.push(&stream.finish());
        masked
    }

    /// Whether `bytes` contain a known value, in any encoding.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        !self.found(bytes).is_empty()
    }

    /// Which known values `bytes` contain, in any encoding, by name, and how often.
    pub fn found(&self, bytes: &[u8]) -> Vec<(String, u64)> {
        let known = self.shared.known();
        let version = AtomicU64::new(known.version());
        let apart = Shared { known: RwLock::new(known), version, ..Shared::default() };
        let mut stream = MaskStream::new(Arc::new(apart));
        stream.push_bytes(bytes);
        stream.finish_bytes();
        stream.hits()
    }

    /// A stream of its own, for one output of one process.
    pub fn stream(&self) -> MaskStream {
        MaskStream::new(Arc::clone(&self.shared))
    }

    /// Whether the value is not a word of a language.
    pub(crate) fn looks_random(value: &SecretValue) -> bool {
        value.plain().len() >= policy::LONG && policy::looks_random(value.plain())
    }

    /// What makes `value` a poor secret, if anything does: for a warning.
    pub fn weakness(value: &SecretValue) -> Option<Weakness> {
        policy::weakness(value.plain())
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("secrets", &self.shared.known().count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_that_could_not_learn_lets_nothing_out() {
        let mask = Mask::default();
        let mut stream = mask.stream();
        assert_eq!(stream.push(b"before\n").as_str(), "before\n");
        drop(Guard { shared: &mask.shared, registered: false });
        let notice = "[output withheld: a secret could not be added to the mask]\n";
        assert_eq!(stream.push(b"after\n").as_str(), notice);
        assert_eq!(stream.push(b"more\n").as_str(), "");
        assert_eq!(stream.finish().as_str(), "");
        assert_eq!(mask.text("an error").as_str(), notice);
        mask.register("late", &SecretValue::new(b"long enough".to_vec())).unwrap();
        assert_eq!(mask.text("an error").as_str(), notice);
    }

    #[test]
    fn a_refused_value_closes_nothing() {
        let mask = Mask::default();
        assert!(mask.register("short", &SecretValue::new(b"abc".to_vec())).is_err());
        assert_eq!(mask.text("as it is").as_str(), "as it is");
    }
}
