//! A plain value in its box.

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret;
use secrecy::SecretSlice;
use zeroize::Zeroize;

use crate::locked;

/// A shorter value can't be masked without blanking out ordinary text.
pub(crate) const SHORTEST: usize = 4;

/// A longer value can't be masked: its patterns would take too much memory.
pub(crate) const LONGEST: usize = 256 * 1024;

/// Whether a value can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitness {
    /// It can.
    Fit,
    /// It has no bytes.
    Empty,
    /// It is too short to be masked.
    TooShort,
    /// It is too long to be masked.
    TooLong,
    /// It holds a NUL byte, which no environment variable can carry.
    Nul,
}

/// The bytes of a secret: locked in memory, wiped when the last clone is dropped, never shown.
#[derive(Clone)]
pub struct SecretValue(Arc<SecretSlice<u8>>);

impl SecretValue {
    /// Takes the bytes. Where they have spare room, which a box can't have, they are moved and
    /// the old place is wiped; a plain shrink might leave it as it is.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        let exact: Box<[u8]> = if bytes.capacity() == bytes.len() {
            bytes.into_boxed_slice()
        } else {
            let exact = Box::from(bytes.as_slice());
            bytes.zeroize();
            exact
        };
        locked::lock(&exact);
        Self(Arc::new(SecretSlice::new(exact)))
    }

    /// The bytes, for those who fetch, mask and compare them.
    pub(crate) fn plain(&self) -> &[u8] {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the box is opened inside this tree"
        )]
        self.0.expose_secret()
    }

    /// Whether it can be a secret of ours: masked, and carried as an environment variable.
    pub fn fitness(&self) -> Fitness {
        match self.plain() {
            [] => Fitness::Empty,
            // The mask knows it without what is around it.
            short if short.trim_ascii().len() < SHORTEST => Fitness::TooShort,
            long if long.len() > LONGEST => Fitness::TooLong,
            bytes if bytes.contains(&0) => Fitness::Nul,
            _ => Fitness::Fit,
        }
    }

    /// The value without its last line break, unless that is one of several: a key in PEM form
    /// needs it, what `echo` printed does not.
    #[must_use]
    pub fn without_last_newline(&self) -> Self {
        let bytes = self.plain();
        match bytes.strip_suffix(b"\n") {
            Some(line) if !line.contains(&b'\n') => {
                Self::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
            }
            _ => self.clone(),
        }
    }

    /// The value without the white space around it, where that can only be an accident: a token has none
    /// inside.
    #[must_use]
    pub(crate) fn trimmed(&self) -> Option<Self> {
        trims(self.plain()).then(|| Self::new(self.plain().trim_ascii().to_vec()))
    }

    /// Whether it begins or ends with white space, which is seldom meant.
    pub fn has_outer_space(&self) -> bool {
        let bytes = self.plain();
        let is_pem = bytes.contains(&b'\n');
        bytes.trim_ascii_start().len() != bytes.len()
            || (!is_pem && bytes.trim_ascii_end().len() != bytes.len())
    }

    /// Whether both hold the same bytes. How long that takes depends on their lengths alone.
    pub fn is_same(&self, other: &Self) -> bool {
        let (a, b) = (self.plain(), other.plain());
        a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }

    /// Shows the bytes to `look`. The access for code that must put a value on the wire: each call
    /// carries a lint expectation with its reason, so that a search for it is an audit.
    pub fn reveal<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(self.plain())
    }

    /// The same bytes on loan, for a source that reads members out of an answer. Its uses carry lint
    /// expectations as those of [`reveal`](Self::reveal) do.
    pub fn expose(&self) -> &[u8] {
        self.plain()
    }
}

/// Whether a text is one word with white space around it.
pub(crate) fn trims(text: &[u8]) -> bool {
    let word = text.trim_ascii();
    word.len() < text.len() && !word.is_empty() && !word.iter().any(u8::is_ascii_whitespace)
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}
