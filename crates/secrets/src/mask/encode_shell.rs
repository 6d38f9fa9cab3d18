//! How shells write a value: `set -x`, `printf %q`, `export -p`.

use crate::mask::encode::Encoded;
use crate::mask::encode::bytes;
use crate::mask::encode::form;
use crate::mask::encode::hex;

/// Between single quotes, each `'` as `'\''` (bash, zsh, ksh).
pub(super) fn single(value: &[u8]) -> Encoded {
    bytes(value, 4, |byte, out| match byte {
        b'\'' => out.extend(br"'\''"),
        _ => out.push(byte),
    })
}

/// Between single quotes, each `'` as `'"'"'` (Python's `shlex.quote`).
pub(super) fn single_by_double(value: &[u8]) -> Encoded {
    bytes(value, 5, |byte, out| match byte {
        b'\'' => out.extend(br#"'"'"'"#),
        _ => out.push(byte),
    })
}

/// Between single quotes, a row of `'` as `'"'''"'` (dash).
pub(super) fn single_by_rows(value: &[u8]) -> Encoded {
    rows(value, b"'\"", b"\"'", b"")
}

/// Between single quotes, a row of `'` as `'\'\'\''` (zsh).
pub(super) fn single_by_backslash_rows(value: &[u8]) -> Encoded {
    rows(value, b"'", b"'", b"\\")
}

fn rows(value: &[u8], open: &[u8], close: &[u8], each: &[u8]) -> Encoded {
    form(value.len() * 5, |out| {
        let mut within = false;
        for &byte in value {
            if within != (byte == b'\'') {
                // The row at the start may stand without quotes before it.
                if !out.is_empty() {
                    out.extend(if within { close } else { open });
                }
                within = !within;
            }
            if within {
                out.extend(each);
            }
            out.push(byte);
        }
    })
}

/// Between double quotes.
pub(super) fn double(value: &[u8]) -> Encoded {
    bytes(value, 2, |byte, out| {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// `$'…'` as bash writes it. With `high`, all that is not ASCII in octal, as in the C locale;
/// with `wide`, all from U+10000 on (four bytes, of which the first is 0xf0 or more), as mksh does.
pub(super) fn ansi_c(value: &[u8], high: bool, wide: bool) -> Encoded {
    let mut in_wide = 0;
    bytes(value, 4, |byte, out| {
        in_wide = if byte >= 0xf0 && wide { 4 } else { in_wide };
        let high = high || in_wide > 0;
        in_wide -= u8::from(in_wide > 0);
        let letter = match byte {
            7..=13 => b"abtnvfr"[usize::from(byte - 7)],
            27 => b'E',
            b'\\' | b'\'' => byte,
            0..=0x1f | 0x7f => return octal(byte, out),
            0x80.. if high => return octal(byte, out),
            _ => return out.push(byte),
        };
        out.extend([b'\\', letter]);
    })
}

/// `$'…'` as zsh writes it: `\C-A` for the controls without a letter.
pub(super) fn zsh_c(value: &[u8]) -> Encoded {
    bytes(value, 4, |byte, out| match byte {
        b'\\' | b'\'' => out.extend([b'\\', byte]),
        7..=13 => out.extend([b'\\', b"abtnvfr"[usize::from(byte - 7)]]),
        0..=0x1f | 0x7f => out.extend([b'\\', b'C', b'-', byte ^ 0x40]),
        _ => out.push(byte),
    })
}

/// `$'…'` as ksh writes it: `\x[01]`.
pub(super) fn ksh_c(value: &[u8]) -> Encoded {
    bytes(value, 6, |byte, out| match byte {
        b'\\' | b'\'' => out.extend([b'\\', byte]),
        7..=13 => out.extend([b'\\', b"abtnvfr"[usize::from(byte - 7)]]),
        27 => out.extend(b"\\E"),
        0..=0x1f | 0x7f => {
            out.extend(b"\\x[");
            hex(byte, false, out);
            out.push(b']');
        }
        _ => out.push(byte),
    })
}

fn octal(byte: u8, out: &mut Vec<u8>) {
    out.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

/// `printf %q`: a backslash before what the shell would read.
pub(super) fn backslash(value: &[u8], special: &[u8]) -> Encoded {
    bytes(value, 2, |byte, out| {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// What `printf %q` escapes: bash, zsh.
pub(super) const BACKSLASHED: [&[u8]; 2] = [b"\t\n !\"$&'()*,;<>?[\\]^`{|}", b"\t\n !\"#$&'()*;<>?[\\]^`{|}"];

/// Who reads escapes, and which: whether octal needs no `0` before it, and whether there are `\x`
/// and `\E`. dash's `echo`; zsh's, and bash's with `-e`; `printf %b`.
pub(super) const ECHOES: [(bool, bool); 3] = [(true, false), (false, true), (true, true)];

/// As an `echo` that reads escapes prints it; none where that is the value itself.
pub(super) fn echoed(value: &[u8], reads: (bool, bool)) -> Option<Encoded> {
    let echoed = form(value.len(), |out| {
        let mut rest = value;
        while let [first, after @ ..] = rest {
            let (byte, length) = match (first, after) {
                (b'\\', [b'c', ..]) => return,
                (b'\\', _) => escape(after, reads).map_or((b'\\', 1), |(byte, length)| (byte, length + 1)),
                _ => (*first, 1),
            };
            out.push(byte);
            rest = &rest[length..];
        }
    });
    (*echoed != *value).then_some(echoed)
}

/// What the text behind a backslash stands for, and how long it is; none where it is not an escape.
fn escape(text: &[u8], (octal, more): (bool, bool)) -> Option<(u8, usize)> {
    let digits = |from: usize, most: usize, base: u32| {
        let digits = text[from..].iter().map_while(|&byte| char::from(byte).to_digit(base)).take(most);
        let (value, count) = digits.fold((0, 0), |(value, count), digit| (value * base + digit, count + 1));
        (value.to_le_bytes()[0], from + count)
    };
    match text.first()? {
        b'a' => Some((7, 1)),
        b'b' => Some((8, 1)),
        b't' => Some((9, 1)),
        b'n' => Some((10, 1)),
        b'v' => Some((11, 1)),
        b'f' => Some((12, 1)),
        b'r' => Some((13, 1)),
        b'\\' => Some((b'\\', 1)),
        b'0' => Some(digits(1, 3, 8)),
        b'1'..=b'7' if octal => Some(digits(0, 3, 8)),
        b'e' => Some((27, 1)),
        b'E' if more => Some((27, 1)),
        b'x' if more => Some(digits(1, 2, 16)).filter(|(_, length)| *length > 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_reads_escapes() {
        let dash = |value: &[u8]| echoed(value, ECHOES[0]).map(|form| form.to_vec());
        assert_eq!(dash(br"a\\b\n\0101\102\x\"), Some(b"a\\b\nAB\\x\\".to_vec()));
        assert_eq!(dash(br"abc\cdef"), Some(b"abc".to_vec()));
        assert_eq!(dash(br"a\x41\q"), None);
        assert_eq!(echoed(br"a\x41\e\1", ECHOES[1]).map(|form| form.to_vec()), Some(b"aA\x1b\\1".to_vec()));
    }
}
