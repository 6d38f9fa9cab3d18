//! TOML: one table; its members by their keys, numbers and times as they are written.

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::bundle::Entry;
use crate::bundle::LIST;
use crate::bundle::Malformed;
use crate::bundle::line_at;
use crate::bundle::text_value;
use crate::bundle::utf8;

pub(super) fn read(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = utf8(text)?;
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Malformed { line: line_at(text.as_bytes(), at), why: "it is not TOML".to_owned() }
    })?;
    let mut entries = Vec::new();
    collect(text, "", table.get_ref(), &mut entries);
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

#[cfg(test)]
mod tests {
    use crate::bundle::Form;
    use crate::bundle::tests::told;

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "A = 'p$\\n'\nn = 1_000\n[db]\nurl = \"a\\nb\"\nday = 2026-01-02\n[db.x]\nk = '''\na\nb'''\n[[l]]\na = 1\n";
        assert_eq!(
            told(Form::Toml, text),
            [
                "1: A=\"p$\\\\n\"",
                "2: n=\"1_000\"",
                "4: db/url=\"a\\nb\"",
                "5: db/day=\"2026-01-02\"",
                "7: db/x/k=\"a\\nb\"",
                "10: l is a list, which has no name for each of its members",
            ]
        );
        assert_eq!(told(Form::Toml, "a = 1\nb = hunter2\n"), ["line 2: it is not TOML"]);
    }
}
