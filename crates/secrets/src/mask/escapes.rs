//! Escapes that any encoder may use for any character, so that listing its habits leads nowhere:
//! percent-encoding (RFC 3986, section 2.1; up to four times over) and what files of `.properties`,
//! JSON and C write with a backslash. They are read where they stand, whichever characters they are
//! used for.

/// The longest escape. In bytes.
pub(super) const LONGEST: usize = 9;

/// What bytes at the start of a text are that begin with `%` or a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// That depends on what follows.
    Open,
    /// The first byte is text.
    Text,
    /// So many bytes are an escape of white space or a control character, or a backslash before
    /// something that stands for itself.
    Nothing(usize),
    /// So many bytes are an escape of this character.
    Character(char, usize),
    /// The same of a byte, which may be part of a character.
    Byte(u8, usize),
}

/// Whether an escape begins with `byte`.
pub(super) fn begins_with(byte: u8) -> bool {
    byte == b'%' || byte == b'\\'
}

/// Whether no escape begins with `byte` where `next` follows, and the byte is text.
pub(super) fn is_text(byte: u8, next: u8) -> bool {
    byte == b'%' && next > b' ' && next < 0x7f && !next.is_ascii_hexdigit() && next != b'\\'
}

/// What `text` begins with. It is not empty; `Open` only where it is shorter than [`LONGEST`].
pub(super) fn read(text: &[u8]) -> Escape {
    match text {
        [b'%', rest @ ..] => percent(rest),
        [b'\\'] => Escape::Open,
        [b'\\', b'u', rest @ ..] => backslash(rest, 4),
        [b'\\', b'x', rest @ ..] => backslash(rest, 2),
        [b'\\', b'n' | b'r' | b't' | b'f', ..] => Escape::Nothing(2),
        [b'\\', ..] => Escape::Nothing(1),
        _ => Escape::Text,
    }
}

/// Two digits, and two more for as long as they stand for `%`.
fn percent(rest: &[u8]) -> Escape {
    let mut taken = 0;
    while let Some(digits) = number(&rest[taken..], 2) {
        match digits {
            Err(()) => return Escape::Open,
            Ok(0x25) if taken + 3 < LONGEST => taken += 2,
            Ok(code) => return of_byte(code, taken + 3),
        }
    }
    if taken == 0 { Escape::Text } else { Escape::Byte(b'%', taken + 1) }
}

/// `\xHH` or `\uHHHH`; `rest` follows the letter.
fn backslash(rest: &[u8], digits: usize) -> Escape {
    match number(rest, digits) {
        None => Escape::Nothing(1),
        Some(Err(())) => Escape::Open,
        Some(Ok(code)) if digits == 2 => of_byte(code, 4),
        Some(Ok(code)) => match char::from_u32(code) {
            None => Escape::Nothing(1),
            Some(character) if character <= ' ' || character == '\x7f' => Escape::Nothing(6),
            Some(character) => Escape::Character(character, 6),
        },
    }
}

fn of_byte(code: u32, taken: usize) -> Escape {
    match u8::try_from(code) {
        Ok(byte) if byte > b' ' && byte != 0x7f => Escape::Byte(byte, taken),
        _ => Escape::Nothing(taken),
    }
}

/// The number that so many hexadecimal digits are; an error where some are still to come.
fn number(text: &[u8], digits: usize) -> Option<Result<u32, ()>> {
    let mut code = 0;
    for at in 0..digits {
        let Some(&digit) = text.get(at) else { return Some(Err(())) };
        code = code * 16 + char::from(digit).to_digit(16)?;
    }
    Some(Ok(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_whichever_character_they_stand_for() {
        for (text, expected) in [
            ("%41", Escape::Byte(b'A', 3)),
            ("%c3%a9", Escape::Byte(0xc3, 3)),
            ("%2540x", Escape::Byte(b'@', 5)),
            ("%252540", Escape::Byte(b'@', 7)),
            ("%25z", Escape::Byte(b'%', 3)),
            ("%254z", Escape::Byte(b'%', 3)),
            ("%25252525", Escape::Byte(b'%', 9)),
            ("%20", Escape::Nothing(3)),
            ("%4", Escape::Open),
            ("%254", Escape::Open),
            ("%zz", Escape::Text),
            ("%%41", Escape::Text),
            (r"\:", Escape::Nothing(1)),
            (r"\\", Escape::Nothing(1)),
            (r"\n", Escape::Nothing(2)),
            (r"\u00e9", Escape::Character('é', 6)),
            (r"\u0020", Escape::Nothing(6)),
            (r"\ud83d", Escape::Nothing(1)),
            (r"\u00", Escape::Open),
            (r"\user", Escape::Nothing(1)),
            (r"\x41", Escape::Byte(b'A', 4)),
            ("\\", Escape::Open),
            ("x", Escape::Text),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn nothing_stays_open_for_long() {
        for first in ["%25252525", r"\u0041zzz", "%2525252z"] {
            assert!(first.len() == LONGEST && read(first.as_bytes()) != Escape::Open);
        }
    }
}
