//! How shells write a value: `set -x`, `printf %q`, `export -p`.

use crate::secret::mask::encode::Form;
use crate::secret::mask::encode::bytes;
use crate::secret::mask::encode::form;

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
                out.extend(if within { close } else { open });
                within = !within;
            }
            if within {
                out.extend(each);
            }
            out.push(byte);
        }
        if within {
            out.extend(close);
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

/// `$'…'` as bash writes it. With `high`, bytes that are not ASCII in octal too, as in the C
/// locale.
pub(super) fn ansi_c(value: &[u8], high: bool) -> Form {
    bytes(value, 4, |byte, out| {
        let letter = match byte {
            7 => b'a',
            8 => b'b',
            9 => b't',
            10 => b'n',
            11 => b'v',
            12 => b'f',
            13 => b'r',
            27 => b'E',
            b'\\' | b'\'' => byte,
            0..=0x1f | 0x7f => return octal(byte, out),
            0x80.. if high => return octal(byte, out),
            _ => return out.push(byte),
        };
        out.extend([b'\\', letter]);
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
