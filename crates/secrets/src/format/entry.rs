//! One value of a file that is read whole, and why a file can't be.

use crate::SecretValue;

/// One value of a file.
#[derive(Debug)]
pub struct Entry {
    /// The variable, or the keys on the way down with `/` between them.
    pub key: String,
    /// Where its value begins, counted from 1.
    pub line: usize,
    /// The value, or why it can't be one: in words without it.
    pub value: Result<SecretValue, &'static str>,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Malformed {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there, without the text that is there.
    pub why: String,
}

/// Why a list is not a value.
pub(super) const LIST: &str = "is a list, which has no name for each of its members";

/// Why nothing is not a value.
pub const NULL: &str = "is null";

/// The text without the byte order mark that some editors put before it.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The line of an offset in a text, counted from 1.
pub(super) fn line_at(text: &[u8], offset: usize) -> usize {
    text[..offset.min(text.len())].split(|byte| *byte == b'\n').count()
}

/// A text of the file as UTF-8.
pub(super) fn utf8(text: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(text).map_err(|error| Malformed {
        line: line_at(text, error.valid_up_to()),
        why: "it is not UTF-8 text".to_owned(),
    })
}

/// A value that the file writes as a text.
pub(super) fn text_value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}
