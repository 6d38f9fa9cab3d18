//! The parts of a value: lines, members, credentials in addresses. Each is a secret by itself when
//! a program prints it alone. Members that are no secret by their key (`user`, `host`, `region`),
//! and words that programs print all the time, are no parts: a log without them can't be read.

use std::collections::HashSet;

use data_encoding::BASE64;
use data_encoding::BASE64_NOPAD;
use data_encoding::BASE64URL;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::format;
use crate::format::Scalar;
use crate::mask::addresses;
use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::keys::is_no_secret;
use crate::mask::keys::telling;
use crate::mask::policy;
use crate::mask::policy::Weakness;
use crate::vendor;

/// A part of a value.
pub(crate) struct Part {
    /// The bytes.
    pub(crate) bytes: Encoded,
    /// Masked in all encodings, not only as it is.
    pub(super) whole: bool,
}

/// Lines shorter than this, in bytes, are left alone where they have no digits among their letters: they are
/// too often punctuation.
const LINE: usize = 12;

/// Documents within documents that are taken apart.
const DEEPEST: u8 = 3;

/// The parts of `value`, itself not among them, each once.
pub(crate) fn parts(value: &[u8]) -> Vec<Part> {
    let found = parts_of(value, DEEPEST);
    let mut known = HashSet::new();
    let is_new: Vec<bool> = found.iter().map(|part| known.insert((&*part.bytes, part.whole))).collect();
    found.into_iter().zip(is_new).filter_map(|(part, is_new)| is_new.then_some(part)).collect()
}

/// The same for a document with so many others around it as are left.
fn parts_of(value: &[u8], left: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    let text = value.trim_ascii();
    if let Some(found) = format::json_scalars(text) {
        for scalar in &found {
            member(scalar, text, left, &mut parts);
        }
        return parts;
    }
    // All forms that it can have are tried, and its lines as well: how it will be taken apart is
    // unknown.
    for scalar in std::str::from_utf8(text).map(format::scalars).unwrap_or_default() {
        set(&scalar.key, &scalar.text, scalar.is_item, &mut parts);
        within(&scalar.text, text, left, &mut parts);
    }
    if text.contains(&b'\n') {
        text.split(|&byte| byte == b'\n').for_each(|at| line(at.trim_ascii(), &mut parts));
    } else {
        one_line(text, &mut parts);
    }
    parts
}

/// The parts of a part: a document is taken apart as the whole is, also where it is in base64. What
/// escapes made longer than the whole is none.
fn within(bytes: &[u8], whole: &[u8], left: u8, parts: &mut Vec<Part>) {
    let is_document = |bytes: &[u8]| bytes.contains(&b'\n') || matches!(bytes.first(), Some(b'{' | b'['));
    if is_document(bytes) && bytes.len() < whole.len() && left > 0 {
        parts.extend(parts_of(bytes, left - 1));
        return;
    }
    one_line(bytes, parts);
    if let Some(text) = decoded(bytes).filter(|_| left > 0) {
        if is_document(&text) {
            parts.extend(parts_of(&text, left - 1));
        } else {
            // `user:password`, as in a Docker configuration.
            let colon = text.iter().position(|&byte| byte == b':');
            teach(colon.map_or(&text[..], |at| &text[at + 1..]), parts);
        }
    }
}

/// The text that is written in base64, if it is one.
fn decoded(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if bytes.len() < LINE {
        return None;
    }
    let ways = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
    let text = Zeroizing::new(ways.iter().find_map(|way| way.decode(bytes).ok())?);
    let is_shown = |&byte: &u8| byte >= b' ' && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t');
    let is_text = std::str::from_utf8(&text).is_ok() && text.iter().all(is_shown);
    is_text.then_some(text)
}

fn one_line(text: &[u8], parts: &mut Vec<Part>) {
    match setting(text) {
        Some((key, value)) => set(key, value, false, parts),
        None => credentials(text, parts),
    }
}

/// Puts a part among the others, unless ordinary text is full of it.
fn teach(bytes: &[u8], parts: &mut Vec<Part>) {
    if policy::weakness(bytes) != Some(Weakness::Common) {
        parts.push(part(bytes, true));
    }
}

fn part(bytes: &[u8], whole: bool) -> Part {
    Part { bytes: form(bytes.len(), |out| out.extend_from_slice(bytes)), whole }
}

/// Whether a member is no secret by its key, whatever it is set to; but for a token in its place, as
/// the user in some logins.
fn is_shown(key: &str, value: &[u8]) -> bool {
    is_no_secret(key) && !std::str::from_utf8(value).is_ok_and(vendor::is_token)
}

/// A text or number of a JSON value.
fn member(scalar: &Scalar, whole: &[u8], left: u8, parts: &mut Vec<Part>) {
    let bytes = scalar.text.trim_ascii();
    let enough = if telling(&scalar.key) { policy::SHORTEST } else { policy::LONG };
    if is_shown(&scalar.key, bytes) {
        credentials(bytes, parts);
    } else if bytes.len() >= enough {
        teach(bytes, parts);
        within(bytes, whole, left, parts);
    }
}

/// What is set to a key by another form than JSON, in which plain words are more usual.
fn set(key: &str, value: &[u8], is_item: bool, parts: &mut Vec<Part>) {
    let value = value.trim_ascii();
    let is_told = telling(key) && is_uncommon(value);
    let is_random = value.len() >= LINE && policy::looks_random(value);
    if !is_shown(key, value) && (is_told || is_random || is_item && value.len() >= LINE) {
        teach(value, parts);
    }
    credentials(value, parts);
    // `Server=…;Password=…`, and `host=… password=…`
    for between in [|byte: &u8| *byte == b';', u8::is_ascii_whitespace] {
        if value.iter().any(between) && value.contains(&b'=') {
            for (key, value) in value.split(between).filter_map(setting) {
                set(key, value, false, parts);
            }
        }
    }
}

/// The credentials in addresses and what is set in their queries.
fn credentials(text: &[u8], parts: &mut Vec<Part>) {
    for found in addresses::credentials(text) {
        if is_uncommon(&found) {
            teach(&found, parts);
        }
    }
}

/// Whether a value under a telling key is one: no plain short word, as in `auth = basic`, and no
/// short number.
fn is_uncommon(value: &[u8]) -> bool {
    value.len() >= policy::LONG
        || value.len() >= policy::SHORTEST && is_mixed(value)
        || value.len() >= format::DIGITS && value.iter().all(u8::is_ascii_digit)
}

/// Whether there are letters and digits.
fn is_mixed(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
}

/// A line of a multi-line value: as it is, or, where it is a setting, what is set.
fn line(line: &[u8], parts: &mut Vec<Part>) {
    let armour = line.starts_with(b"-----") && line.ends_with(b"-----");
    let section = line.starts_with(b"[") && line.ends_with(b"]");
    if armour || section || line.starts_with(b"#") {
        return;
    }
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    match setting(line) {
        Some((key, value)) => set(key, value, false, parts),
        None if line.len() >= LINE || line.len() >= policy::LONG && is_mixed(line) => {
            parts.push(part(line, false));
            credentials(line, parts);
        }
        None => {}
    }
}

/// `key = value` or `key: value`, `export key=value`, without quotes.
fn setting(line: &[u8]) -> Option<(&str, &[u8])> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let key = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
    let set = &line[at + 1..];
    let spaced = set.first().is_none_or(u8::is_ascii_whitespace);
    let named =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    // The padding of base64 at the end of a line is not a setting.
    let padding = set.iter().all(|&byte| byte == b'=') && line[at] == b'=' && !spaced || set.is_empty();
    if !named || padding || (line[at] == b':' && !spaced) {
        return None;
    }
    let set = set.trim_ascii();
    let quoted = |quote: u8| set.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    Some((key, quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(set)))
}

#[cfg(test)]
mod tests;
