//! TOML: one table; of a whole file numbers and times as they are written. What the parser has to
//! copy is wiped.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;
use zeroize::Zeroize;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry::Entry;
use crate::format::entry::LIST;
use crate::format::entry::Malformed;
use crate::format::entry::line_at;
use crate::format::entry::text_value;
use crate::format::entry::utf8;
use crate::format::pointer::NoMember;
use crate::format::pointer::index;
use crate::format::scalar::Scalar;
use crate::format::scalar::telling_key;

/// A text that was parsed; wiped when dropped.
struct Parsed<'a>(DeTable<'a>);

impl<'a> Parsed<'a> {
    fn new(text: &'a str) -> Result<Self, toml::de::Error> {
        DeTable::parse(text).map(|table| Self(table.into_inner()))
    }
}

impl Drop for Parsed<'_> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| wipe(value.get_mut()));
    }
}

/// The whole text as one type.
pub(super) fn whole<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    toml::from_slice(text).ok()
}

/// All values.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = utf8(text)?;
    let parsed = Parsed::new(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Malformed { line: line_at(text.as_bytes(), at), why: "it is not TOML".to_owned() }
    })?;
    let mut entries = Vec::new();
    collect(text, "", &parsed.0, &mut entries);
    entries.sort_by_key(|(offset, _)| *offset);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn collect(text: &str, above: &str, table: &DeTable<'_>, entries: &mut Vec<(usize, Entry)>) {
    for (key, value) in table {
        let key = format!("{above}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => collect(text, &format!("{key}/"), inner, entries),
            other => entries.push((value.span().start, entry(text, key, value, other))),
        }
    }
}

fn entry(text: &str, key: String, place: &Spanned<DeValue<'_>>, value: &DeValue<'_>) -> Entry {
    let written = || text.get(place.span()).unwrap_or_default();
    let value = match value {
        DeValue::String(text) => Ok(text_value(text)),
        DeValue::Array(_) | DeValue::Table(_) => Err(LIST),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Ok(text_value(written()))
        }
    };
    Entry { key, line: line_at(text.as_bytes(), place.span().start), value }
}

/// The member's bytes, if it is there.
pub(super) fn select(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    let parsed = Parsed::new(text).map_err(|_| NoMember::Format)?;
    let (first, rest) = path.split_first().expect("a path has a key");
    let mut found = parsed.0.get(first.as_ref());
    for key in rest {
        found = match found.map(Spanned::get_ref) {
            Some(DeValue::Table(inner)) => inner.get(key.as_ref()),
            Some(DeValue::Array(items)) => index(key).and_then(|at| items.get(at)),
            _ => None,
        };
    }
    let Some(found) = found else { return Ok(None) };
    let written = match found.get_ref() {
        DeValue::String(text) => return Ok(Some(text_value(text))),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => return Err(NoMember::no_text()),
    };
    Ok(Some(text_value(&Zeroizing::new(written))))
}

/// All texts and numbers, at any depth; none where the text is not TOML.
pub(super) fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    if let Ok(parsed) = Parsed::new(text) {
        scalars_of_table("", &parsed.0, &mut found);
    }
    found
}

fn scalars_of_table(above: &str, table: &DeTable<'_>, found: &mut Vec<Scalar>) {
    table.iter().for_each(|(own, value)| {
        scalars_of(telling_key(above, own.get_ref()), value.get_ref(), false, found);
    });
}

fn scalars_of(key: &str, value: &DeValue<'_>, is_item: bool, found: &mut Vec<Scalar>) {
    match value {
        DeValue::Table(table) => scalars_of_table(key, table, found),
        DeValue::Array(items) => items.iter().for_each(|item| scalars_of(key, item.get_ref(), true, found)),
        DeValue::String(text) => found.push(Scalar::new(key, text.as_bytes(), is_item)),
        DeValue::Integer(number) => found.extend(Scalar::of_number(key, &number.to_string(), is_item)),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Wipes what the parser had to copy.
fn wipe(value: &mut DeValue<'_>) {
    match value {
        DeValue::String(Cow::Owned(text)) => text.zeroize(),
        DeValue::Array(items) => items.iter_mut().for_each(|item| wipe(item.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| wipe(value.get_mut())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::format::Format;
    use crate::format::whole::tests::told;

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "A = 'p$\\n'\nn = 1_000\n[db]\nurl = \"a\\nb\"\nday = 2026-01-02\n[db.x]\nk = '''\na\nb'''\n[[l]]\na = 1\n";
        assert_eq!(
            told(Format::Toml, text),
            [
                "1: A=\"p$\\\\n\"",
                "2: n=\"1_000\"",
                "4: db/url=\"a\\nb\"",
                "5: db/day=\"2026-01-02\"",
                "7: db/x/k=\"a\\nb\"",
                "10: l is a list, which has no name for each of its members",
            ]
        );
        assert_eq!(told(Format::Toml, "a = 1\nb = hunter2\n"), ["line 2: it is not TOML"]);
    }
}
