//! Text that has passed the mask.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// Text that has passed the mask. Only the mask makes one (and serde, when a journal is read).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, fit to be shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of text.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts `more` of the same output at the end.
    pub fn push(&mut self, more: &Self) {
        self.0.push_str(&more.0);
    }

    /// Each line without its end.
    pub fn lines(&self) -> impl Iterator<Item = Self> {
        self.0.lines().map(|line| Self(line.to_owned()))
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Masked {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Makes text of pieces of bytes: a character split between two stays whole, what is not UTF-8
/// becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The start of a character.
    rest: Vec<u8>,
}

impl Utf8 {
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> Masked {
        let mut bytes = self.with_rest(bytes);
        self.rest = bytes.split_off(bytes.len() - unfinished(&bytes));
        text(bytes)
    }

    pub(super) fn finish(&mut self, bytes: Vec<u8>) -> Masked {
        text(self.with_rest(bytes))
    }

    fn with_rest(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.rest.is_empty() {
            return bytes;
        }
        let mut whole = std::mem::take(&mut self.rest);
        whole.extend_from_slice(&bytes);
        whole
    }
}

/// How many bytes at the end are the start of a character.
fn unfinished(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .find(|&len| {
            let tail = &bytes[bytes.len() - len..];
            std::str::from_utf8(tail)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

fn text(bytes: Vec<u8>) -> Masked {
    Masked(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole_at_any_split() {
        let bytes = b"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xff\xe2\x82x\xf0\x9f";
        let expected = String::from_utf8_lossy(bytes);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut utf8 = Utf8::default();
                let mut masked = utf8.push(bytes[..first].to_vec());
                masked.push(&utf8.push(bytes[first..second].to_vec()));
                masked.push(&utf8.finish(bytes[second..].to_vec()));
                assert_eq!(masked.as_str(), expected, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn lines_have_no_end_and_widths_count() {
        let text = Masked::new("a\nb\r\n".to_owned());
        assert_eq!(text.lines().map(|line| line.to_string()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(format!("{:>3}", Masked::new("a".to_owned())), "  a");
    }
}
