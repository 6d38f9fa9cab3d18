//! The mask: everything leaves through it.
//!
//! [`Mask::register`] compiles a value into all the forms in which a program may print it; every
//! output goes through a [`MaskStream`], every text of our own through [`Mask::text`], and only
//! what comes out, [`Masked`], can be stored or shown.

mod addresses;
mod arena;
mod compared;
mod encode;
mod encode_shell;
mod escapes;
mod forms;
mod kernel;
mod keys;
mod known;
mod masked;
mod normalised;
mod parts;
mod pattern;
mod policy;
mod registry;
mod render;
mod shared;
mod stream;
mod style;
mod table;
mod view;

use std::fmt;
use std::sync::Arc;

use crate::SecretValue;
use crate::mask::shared::Shared;

pub(crate) use forms::compile;
pub(crate) use keys::is_no_secret;
pub(crate) use keys::telling;
pub use masked::Masked;
pub(crate) use parts::parts;
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

impl Mask {
    /// An empty mask.
    pub fn new(style: MaskStyle) -> Self {
        let mask = Self::default();
        mask.shared.registry().style = style;
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
        let guard = self.shared.guard();
        let mut registry = self.shared.registry();
        if let Some(secret) = registry.enter(name, plain) {
            registry.add(compile(plain, secret));
            self.shared.changed();
            if registry.size() > MOST {
                return Err(Unmaskable::TooMany { name: name.to_owned() });
            }
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
        let mut stream = MaskStream::new(Arc::new(Shared::apart(self.shared.known())));
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
        f.debug_struct("Mask").field("secrets", &self.shared.registry().count()).finish_non_exhaustive()
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
        drop(mask.shared.guard());
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

    // case L10
    #[test]
    fn tables_are_made_once_for_all_that_are_registered_together() {
        let mask = Mask::default();
        let mut stream = mask.stream();
        for index in 0..50 {
            let value = SecretValue::new(format!("value number {index}").into_bytes());
            mask.register(&format!("a/{index}"), &value).unwrap();
            mask.register("the/same", &value).unwrap();
            assert_eq!(mask.shared.ready().version(), 0);
        }
        assert_eq!(stream.push(b"value number 7.\n").as_str(), "***.\n");
        assert_eq!(mask.shared.ready().version(), 100);
        mask.register("the/same", &SecretValue::new(b"value number 7".to_vec())).unwrap();
        assert_eq!(mask.shared.known().version(), 100, "it is known");
    }
}
