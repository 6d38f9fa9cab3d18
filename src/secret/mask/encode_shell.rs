//! How shells write a value: `set -x`, `printf %q`, `export -p`.

use crate::secret::mask::encode::Form;
use crate::secret::mask::encode::bytes;
use crate::secret::mask::encode::form;
use crate::secret::mask::encode::hex;

/// Between single quotes, each `'` as `'\''` (bash, zsh, ksh).
pub(super) fn single(value: &[u8]) -> Form {
    bytes(value, 4, |byte, out| match byte {
        b'\'' => out.extend(br"'\''"),
        _ => out.push(byte),
    })
}

/// Between single quotes, each `'` as `'"'"'` (Python's `shlex.quote`).
pub(super) fn single_by_double(value: &[u8]) -> Form {
    bytes(value, 5, |byte, out| match byte {
        b'\'' => out.extend(br#"'"'"'"#),
        _ => out.push(byte),
    })
}

/// Between single quotes, a row of `'` as `'"'''"'` (dash).
pub(super) fn single_by_rows(value: &[u8]) -> Form {
    rows(value, b"'\"", b"\"'", b"")
}

/// Between single quotes, a row of `'` as `'\'\'\''` (zsh).
pub(super) fn single_by_backslash_rows(value: &[u8]) -> Form {
    rows(value, b"'", b"'", b"\\")
}

fn rows(value: &[u8], open: &[u8], close: &[u8], each: &[u8]) -> Form {
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
pub(super) fn double(value: &[u8]) -> Form {
    bytes(value, 2, |byte, out| {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// `$'…'` as bash writes it. With `high`, all that is not ASCII in octal, as in the C locale;
/// with `wide`, all from U+10000 on (four bytes, of which the first is 0xf0 or more), as mksh does.
pub(super) fn ansi_c(value: &[u8], high: bool, wide: bool) -> Form {
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
pub(super) fn zsh_c(value: &[u8]) -> Form {
    bytes(value, 4, |byte, out| match byte {
        b'\\' | b'\'' => out.extend([b'\\', byte]),
        7..=13 => out.extend([b'\\', b"abtnvfr"[usize::from(byte - 7)]]),
        0..=0x1f | 0x7f => out.extend([b'\\', b'C', b'-', byte ^ 0x40]),
        _ => out.push(byte),
    })
}

/// `$'…'` as ksh writes it: `\x[01]`.
pub(super) fn ksh_c(value: &[u8]) -> Form {
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
pub(super) fn backslash(value: &[u8], special: &[u8]) -> Form {
    bytes(value, 2, |byte, out| {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// What `printf %q` escapes: bash, zsh.
pub(super) const BACKSLASHED: [&[u8]; 2] = [b"\t\n !\"$&'()*,;<>?[\\]^`{|}", b"\t\n !\"#$&'()*;<>?[\\]^`{|}"];
