//! The mask: the single exit of everything.

use serde::Deserialize;
use serde::Serialize;

use crate::secret::SecretValue;

/// Text that has passed the mask. Only the mask makes one (and serde, when a journal is read).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// The text, fit to be shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a value can't be masked, and so must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmaskable {
    /// Under four bytes: masking it would blank out ordinary text.
    #[error("secret `{name}` is too short to be masked")]
    TooShort {
        /// The secret.
        name: String,
    },
}

/// What is to be masked: one per run, cheap to clone, taught while it is in use.
#[derive(Debug, Clone, Default)]
pub struct Mask {}

impl Mask {
    /// Teaches the mask a value and all its encodings. From then on nothing that contains it
    /// leaves a stream, those already open included.
    pub fn teach(&self, name: &str, value: &SecretValue) -> Result<(), Unmaskable> {
        let _ = (name, value);
        unimplemented!("SKELETON")
    }

    /// Masks a text that is whole.
    pub fn text(&self, text: &str) -> Masked {
        Masked(text.to_owned())
    }

    /// Whether `bytes` contain a known value, in any encoding.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        let _ = bytes;
        unimplemented!("SKELETON")
    }

    /// A stream of its own, for one output of one process.
    pub fn stream(&self) -> MaskStream {
        MaskStream {}
    }
}

/// One output of one process on its way through the mask.
#[derive(Debug)]
pub struct MaskStream {}

impl MaskStream {
    /// Takes bytes as they come; gives back all that can no longer be part of a secret.
    /// Invalid UTF-8 becomes U+FFFD; a character split between two calls stays whole.
    pub fn push(&mut self, bytes: &[u8]) -> Masked {
        let _ = bytes;
        unimplemented!("SKELETON")
    }

    /// The rest, at the end of the output.
    pub fn finish(&mut self) -> Masked {
        unimplemented!("SKELETON")
    }

    /// How often each secret was masked in this stream, by name.
    pub fn hits(&self) -> Vec<(String, u64)> {
        unimplemented!("SKELETON")
    }
}
