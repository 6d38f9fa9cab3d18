//! Encoders: how other programs write a value. Each gives the text without its delimiters
//! (quotes, braces), so that it is found wherever it stands.

use std::fmt::Write as _;

use data_encoding::Encoding;
use zeroize::Zeroizing;

/// One way of writing a value; wiped when dropped.
pub(super) type Encoded = Zeroizing<Vec<u8>>;

/// Makes a form with room for all of it, so that no copy stays behind when it grows.
pub(super) fn form(room: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Encoded {
    let mut form = Zeroizing::new(Vec::with_capacity(room));
    fill(&mut form);
    form
}

/// Writes each byte of `value` in at most `width` bytes.
pub(super) fn bytes(value: &[u8], width: usize, mut write: impl FnMut(u8, &mut Vec<u8>)) -> Encoded {
    form(value.len() * width, |out| value.iter().for_each(|&byte| write(byte, out)))
}

/// Writes each character of `text` in at most 12 bytes for each of its own.
pub(super) fn chars(text: &str, mut write: impl FnMut(char, &mut Vec<u8>)) -> Encoded {
    form(text.len() * 12, |out| text.chars().for_each(|char| write(char, out)))
}

/// The characters of base64 that depend on `value` alone when `offset` (0 to 2) bytes modulo
/// three stand before it and anything follows (RFC 4648, sections 4 and 5).
pub(super) fn base64_core(value: &[u8], offset: usize, alphabet: &Encoding) -> Encoded {
    let padded = form(offset + value.len(), |out| {
        out.resize(offset, 0);
        out.extend_from_slice(value);
    });
    let mut text = Zeroizing::new(vec![0; alphabet.encode_len(padded.len())]);
    alphabet.encode_mut(&padded, &mut text);
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    form(last - first, |out| out.extend_from_slice(&text[first..last]))
}

/// Lines of `width` bytes, without an end after the last.
pub(super) fn wrapped(text: &[u8], width: usize) -> Encoded {
    form(text.len() + text.len() / width, |out| {
        for (index, line) in text.chunks(width).enumerate() {
            if index > 0 {
                out.push(b'\n');
            }
            out.extend_from_slice(line);
        }
    })
}

/// The value as UTF-16, low byte first, as PowerShell encodes commands.
pub(super) fn utf16(text: &str) -> Encoded {
    form(text.len() * 4, |out| text.encode_utf16().for_each(|unit| out.extend(unit.to_le_bytes())))
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Two hexadecimal digits.
pub(super) fn hex(byte: u8, upper: bool, out: &mut Vec<u8>) {
    let digits = if upper { UPPER } else { LOWER };
    out.push(digits[usize::from(byte >> 4)]);
    out.push(digits[usize::from(byte & 15)]);
}

/// Which characters percent-encoding leaves alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percent {
    /// Those besides letters and digits.
    pub(super) plain: &'static [u8],
    /// A space becomes `+`.
    pub(super) plus: bool,
}

/// The variants in use: RFC 3986, with `/` (Python's `quote`), `encodeURIComponent`,
/// `encodeURI`, and forms (WHATWG, and Python's `quote_plus`).
pub(super) const PERCENT: [Percent; 6] = [
    Percent { plain: b"-._~", plus: false },
    Percent { plain: b"-._~/", plus: false },
    Percent { plain: b"-._~!*'()", plus: false },
    Percent { plain: b"-._~!*'();/?:@&=+$,#", plus: false },
    Percent { plain: b"-._*", plus: true },
    Percent { plain: b"-._~", plus: true },
];

/// Percent-encoding (RFC 3986, section 2.1).
pub(super) fn percent(value: &[u8], style: Percent, upper: bool) -> Encoded {
    bytes(value, 3, |byte, out| match byte {
        b' ' if style.plus => out.push(b'+'),
        _ if byte.is_ascii_alphanumeric() || style.plain.contains(&byte) => out.push(byte),
        _ => {
            out.push(b'%');
            hex(byte, upper, out);
        }
    })
}

/// What a JSON writer escapes besides what it must (RFC 8259, section 7).
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(super) struct Json {
    /// `/` as `\/`.
    pub(super) slash: bool,
    /// All that is not printable ASCII.
    pub(super) ascii: bool,
    /// `<`, `>` and `&`, as Go does.
    pub(super) html: bool,
    /// Quotes, `+` and the like, in capitals, as .NET does.
    pub(super) strict: bool,
}

/// The variants in use.
pub(super) fn json_styles() -> impl Iterator<Item = Json> {
    let flags =
        |bits: u8| Json { slash: bits & 1 != 0, ascii: bits & 2 != 0, html: bits & 4 != 0, strict: false };
    (0..8).map(flags).chain([Json { strict: true, ascii: true, html: true, slash: false }])
}

/// A JSON string without its quotes.
pub(super) fn json(text: &str, style: Json) -> Encoded {
    chars(text, |char, out| match char {
        '"' | '\'' | '+' | '`' if style.strict => unicode(char, true, out),
        '<' | '>' | '&' if style.html => unicode(char, style.strict, out),
        '"' => out.extend(b"\\\""),
        '\\' => out.extend(b"\\\\"),
        '/' if style.slash => out.extend(b"\\/"),
        '\n' => out.extend(b"\\n"),
        '\r' => out.extend(b"\\r"),
        '\t' => out.extend(b"\\t"),
        '\u{8}' => out.extend(b"\\b"),
        '\u{c}' => out.extend(b"\\f"),
        '\0'..='\u{1f}' => unicode(char, style.strict, out),
        _ if style.ascii && !matches!(char, ' '..='~') => unicode(char, style.strict, out),
        _ => plain(char, out),
    })
}

fn unicode(char: char, upper: bool, out: &mut Vec<u8>) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        let [high, low] = unit.to_be_bytes();
        out.extend(b"\\u");
        hex(high, upper, out);
        hex(low, upper, out);
    }
}

pub(super) fn plain(char: char, out: &mut Vec<u8>) {
    out.extend(char.encode_utf8(&mut [0; 4]).bytes());
}

/// Rust's `{:?}` of a string.
pub(super) fn rust_debug(text: &str) -> Encoded {
    let mut quoted = Zeroizing::new(String::with_capacity(text.len() * 10 + 2));
    // Writing to a `String` can't fail.
    let _ = write!(quoted, "{text:?}");
    form(quoted.len(), |out| out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]))
}

/// The escapes of C in one byte: `\n` and its like.
fn letter(byte: u8) -> Option<u8> {
    (7..=13).contains(&byte).then(|| b"abtnvfr"[usize::from(byte - 7)])
}

/// Go's `%q`, and C: controls by letter or `\xHH`. With `high`, all that is not ASCII too.
pub(super) fn go_quote(value: &[u8], high: bool) -> Encoded {
    bytes(value, 4, |byte, out| match (byte, letter(byte)) {
        (b'"' | b'\\', _) => out.extend([b'\\', byte]),
        (_, Some(letter)) => out.extend([b'\\', letter]),
        (0..=0x1f | 0x7f, _) => escaped(byte, out),
        (0x80.., _) if high => escaped(byte, out),
        _ => out.push(byte),
    })
}

fn escaped(byte: u8, out: &mut Vec<u8>) {
    out.extend(b"\\x");
    hex(byte, false, out);
}

/// Python's `repr` between its quotes. With `high`, of `bytes`, else of `str`.
pub(super) fn python_repr(value: &[u8], high: bool) -> Encoded {
    let single = value.contains(&b'\'') && value.contains(&b'"');
    bytes(value, 4, |byte, out| match byte {
        b'\\' => out.extend(b"\\\\"),
        b'\'' if single => out.extend(b"\\'"),
        b'\n' => out.extend(b"\\n"),
        b'\r' => out.extend(b"\\r"),
        b'\t' => out.extend(b"\\t"),
        0..=0x1f | 0x7f => escaped(byte, out),
        0x80.. if high => escaped(byte, out),
        _ => out.push(byte),
    })
}

/// Python's `ascii`: `\xHH`, `\uHHHH`, `\UHHHHHHHH`.
pub(super) fn python_ascii(text: &str) -> Encoded {
    let repr = Zeroizing::new(String::from_utf8_lossy(&python_repr(text.as_bytes(), false)).into_owned());
    chars(&repr, |char, out| {
        let code = u32::from(char).to_be_bytes();
        let from = match u32::from(char) {
            0..0x80 => return plain(char, out),
            0x80..0x100 => 3,
            0x100..0x1_0000 => 2,
            _ => 0,
        };
        out.extend([b'\\', [b'U', b'U', b'u', b'x'][from]]);
        code[from..].iter().for_each(|&byte| hex(byte, false, out));
    })
}

/// Numbers in a row, as lists of bytes are printed.
pub(super) fn decimals(value: &[u8], between: &[u8]) -> Encoded {
    form(value.len() * (3 + between.len()), |out| {
        for (index, byte) in value.iter().enumerate() {
            if index > 0 {
                out.extend(between);
            }
            let digits = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
            let from = if *byte > 99 { 0 } else { 1 + usize::from(*byte < 10) };
            out.extend(&digits[from..]);
        }
    })
}

/// What writers of XML and HTML escape besides `&`, `<` and `>`, in the order `"`, `'`, tab,
/// newline, carriage return.
pub(super) type Entities = [&'static [u8]; 5];

/// The variants in use: text, attributes, Python's `html.escape` and `quoteattr`, Go's
/// `html.EscapeString` and `xml.EscapeText`.
pub(super) const ENTITIES: [Entities; 9] = [
    [b"\"", b"'", b"\t", b"\n", b"\r"],
    [b"&quot;", b"'", b"\t", b"\n", b"\r"],
    [b"&quot;", b"&#x27;", b"\t", b"\n", b"\r"],
    [b"&quot;", b"&apos;", b"\t", b"\n", b"\r"],
    [b"&quot;", b"&#39;", b"\t", b"\n", b"\r"],
    [b"&#34;", b"&#39;", b"\t", b"\n", b"\r"],
    [b"\"", b"'", b"&#9;", b"&#10;", b"&#13;"],
    [b"&quot;", b"'", b"&#9;", b"&#10;", b"&#13;"],
    [b"&#34;", b"&#39;", b"&#x9;", b"&#xA;", b"&#xD;"],
];

/// Text of XML or HTML.
pub(super) fn xml(value: &[u8], entities: Entities) -> Encoded {
    bytes(value, 6, |byte, out| match byte {
        b'&' => out.extend(b"&amp;"),
        b'<' => out.extend(b"&lt;"),
        b'>' => out.extend(b"&gt;"),
        b'"' => out.extend(entities[0]),
        b'\'' => out.extend(entities[1]),
        b'\t' => out.extend(entities[2]),
        b'\n' => out.extend(entities[3]),
        b'\r' => out.extend(entities[4]),
        _ => out.push(byte),
    })
}

/// `cat -v`: `^X` and `M-x`.
pub(super) fn caret(value: &[u8]) -> Encoded {
    bytes(value, 4, |byte, out| {
        if byte >= 0x80 {
            out.extend(b"M-");
        }
        match byte & 0x7f {
            b'\n' | b'\t' if byte < 0x80 => out.push(byte),
            0x7f => out.extend(b"^?"),
            low @ 0..0x20 => out.extend([b'^', low + 64]),
            low => out.push(low),
        }
    })
}
