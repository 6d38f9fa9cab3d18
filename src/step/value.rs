//! The value of a variable or a result.

use regex::bytes::Regex;

use doppio_secrets::SecretValue;

/// A text may be this long once its references are resolved, in bytes: as long as what a step may
/// capture.
pub(super) const LONGEST: usize = 16 << 20;

/// The value of a variable or a result.
#[derive(Debug, Clone)]
pub enum Value {
    /// Ordinary text.
    Plain(String),
    /// Text that contains a secret: it may go where secrets may go.
    Secret(SecretValue),
}

impl Default for Value {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Value {
    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            #[expect(clippy::disallowed_methods, reason = "only the length leaves")]
            Self::Secret(value) => value.reveal(<[u8]>::len),
        }
    }

    /// The bytes in their box, whether they are a secret or not.
    pub fn into_secret(self) -> SecretValue {
        match self {
            Self::Plain(text) => SecretValue::new(text.into_bytes()),
            Self::Secret(value) => value,
        }
    }

    /// What the expression's one group matches. Of a secret it is a secret.
    pub fn capture(&self, regex: &Regex) -> Option<Self> {
        let group = |bytes: &[u8]| {
            regex.captures(bytes).and_then(|found| found.get(1)).map(|group| group.as_bytes().to_vec())
        };
        match self {
            Self::Plain(text) => {
                group(text.as_bytes()).map(|bytes| Self::Plain(String::from_utf8_lossy(&bytes).into_owned()))
            }
            #[expect(clippy::disallowed_methods, reason = "the group goes straight into a box of its own")]
            Self::Secret(value) => value.reveal(group).map(|bytes| Self::Secret(SecretValue::new(bytes))),
        }
    }
}
