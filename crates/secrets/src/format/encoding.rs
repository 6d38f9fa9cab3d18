//! Texts that editors and shells of Windows write: UTF-16, and UTF-8 with a byte order mark.

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry::without_mark;

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// In UTF-16, with a mark or without.
    Utf16,
    /// In UTF-8 behind a byte order mark.
    Marked,
}

impl Encoded {
    /// What to tell the user, to follow the name of what was read.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Utf16 => "is UTF-16 text: it was converted to UTF-8",
            Self::Marked => "begins with a byte order mark, which was left out",
        }
    }
}

/// The text as UTF-8 without a mark, and what it was before, if that was something else. What is not text
/// stays as it is.
pub fn decoded(value: &SecretValue) -> (SecretValue, Option<Encoded>) {
    let bytes = value.plain();
    // Bytes that only begin like it are no text: there are control characters in them, or hardly a letter of
    // those that tokens and names of variables are made of.
    let utf16 = match bytes {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        _ if is_wide(bytes, 1) => units(bytes, u16::from_le_bytes),
        _ if is_wide(bytes, 0) => units(bytes, u16::from_be_bytes),
        _ => None,
    };
    if let Some(text) = utf16 {
        return (SecretValue::new(text), Some(Encoded::Utf16));
    }
    let unmarked = without_mark(bytes);
    if unmarked.len() < bytes.len() {
        return (SecretValue::new(unmarked.to_vec()), Some(Encoded::Marked));
    }
    (value.clone(), None)
}

/// Whether of each pair of bytes the one at `zero` is NUL and the other is a character of ASCII.
fn is_wide(bytes: &[u8], zero: usize) -> bool {
    let is_pair = |pair: &[u8]| {
        let character = pair[1 - zero];
        pair[zero] == 0 && (character.is_ascii_graphic() || character.is_ascii_whitespace())
    };
    bytes.len() >= 4 && bytes.len().is_multiple_of(2) && bytes.chunks_exact(2).all(is_pair)
}

fn units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let units: Zeroizing<Vec<u16>> =
        Zeroizing::new(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect());
    let text = String::from_utf16(&units).ok()?;
    let is_plain = |c: char| c.is_ascii_graphic() || c.is_ascii_whitespace();
    let plain = text.chars().filter(|c| is_plain(*c)).count();
    let has_controls = text.chars().any(|c| u32::from(c) < 0x20 && !c.is_ascii_whitespace());
    if plain * 2 < text.chars().count() || text.is_empty() || has_controls {
        drop(Zeroizing::new(text));
        return None;
    }
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    // case G9
    #[test]
    fn texts_of_windows_are_recognised() {
        let wide = |text: &str, mark: bool| -> Vec<u8> {
            let mark = mark.then_some(0xfeff);
            mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        };
        let big: Vec<u8> = "\u{feff}aé".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, text, was) in [
            (wide("A=é\r\n", true), "A=é\r\n", Some(Encoded::Utf16)),
            (wide("hf_x", false), "hf_x", Some(Encoded::Utf16)),
            (big, "aé", Some(Encoded::Utf16)),
            (b"\xef\xbb\xbfhf_x".to_vec(), "hf_x", Some(Encoded::Marked)),
            (b"hf_x".to_vec(), "hf_x", None),
            (b"a\0b".to_vec(), "a\0b", None),
        ] {
            let (value, found) = decoded(&SecretValue::new(bytes));
            assert_eq!((value.plain(), found), (text.as_bytes(), was));
        }
        for bytes in [&[0xff, 0xfe, b'a'][..], &[0xff, 0xfe], &[0xff, 0xfe, 1, 2, 3, 0x80]] {
            assert_eq!(decoded(&SecretValue::new(bytes.to_vec())).1, None, "{bytes:?}");
        }
    }
}
