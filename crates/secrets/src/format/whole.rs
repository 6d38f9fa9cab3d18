//! Files with many secrets, read whole.

use crate::format::dotenv;
use crate::format::entry::Entry;
use crate::format::entry::Malformed;
use crate::format::entry::without_mark;
use crate::format::ini;
use crate::format::json;
use crate::format::kind::Format;
use crate::format::python;
use crate::format::toml;
use crate::format::yaml;

impl Format {
    /// The format that a text has, for a file whose name does not tell. TOML is tried before
    /// dotenv, which takes nearly everything; `NAME=plain` is not TOML.
    pub fn of_text(text: &[u8]) -> Self {
        let first = without_mark(text).trim_ascii_start().first();
        if first == Some(&b'{') {
            return Self::Json;
        }
        if dotenv::entries(text).is_ok_and(|entries| !entries.is_empty()) {
            return Self::Dotenv;
        }
        [Self::Toml, Self::Yaml, Self::Python]
            .into_iter()
            .find(|format| read(*format, text).is_ok_and(|entries| !entries.is_empty()))
            .unwrap_or(Self::Dotenv)
    }
}

/// All values of a text, in its order. A key that occurs twice with the same value counts once.
///
/// # Errors
///
/// When the text is not of this format, or a key has two values.
pub fn read(format: Format, text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let entries = match format {
        Format::Dotenv => dotenv::entries(text),
        Format::Json => json::entries(without_mark(text)),
        Format::Yaml => yaml::entries(without_mark(text)),
        Format::Toml => toml::entries(without_mark(text)),
        Format::Ini => ini::entries(without_mark(text)),
        Format::Python => python::module(without_mark(text)).map(|module| module.entries),
    }?;
    once(entries)
}

/// The entries without those that occur twice with the same value.
///
/// # Errors
///
/// When a key has two values.
pub(super) fn once(entries: Vec<Entry>) -> Result<Vec<Entry>, Malformed> {
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(earlier) = kept.iter().find(|earlier| earlier.key == entry.key) else {
            kept.push(entry);
            continue;
        };
        if !matches!((&earlier.value, &entry.value), (Ok(a), Ok(b)) if a.is_same(b)) {
            let why = format!("`{}` has another value in line {}", entry.key, earlier.line);
            return Err(Malformed { line: entry.line, why });
        }
    }
    Ok(kept)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a text comes to, in words.
    pub(in crate::format) fn told(format: Format, text: &str) -> Vec<String> {
        match read(format, text.as_bytes()) {
            Err(fault) => vec![fault.to_string()],
            Ok(entries) => in_words(&entries),
        }
    }

    /// Entries, a line each.
    pub(in crate::format) fn in_words(entries: &[Entry]) -> Vec<String> {
        let words = |entry: &Entry| match &entry.value {
            Ok(value) => {
                format!("{}: {}={:?}", entry.line, entry.key, String::from_utf8_lossy(value.plain()))
            }
            Err(why) => format!("{}: {} {why}", entry.line, entry.key),
        };
        entries.iter().map(words).collect()
    }

    #[test]
    fn texts_tell_the_format() {
        for (text, form) in [
            ("A=b\n", Format::Dotenv),
            ("export A='b'\n", Format::Dotenv),
            ("\u{feff} {\"a\": 1}", Format::Json),
            ("[a]\nb = 'c'\n", Format::Toml),
            ("a: b\n", Format::Yaml),
            ("import os\nos.environ['A'] = 'b'\n", Format::Python),
            ("nothing at all", Format::Dotenv),
        ] {
            assert_eq!(Format::of_text(text.as_bytes()), form, "{text}");
        }
    }

    #[test]
    fn a_key_with_two_values_is_refused() {
        assert_eq!(told(Format::Dotenv, "A=hunter2\n\nA='hunter2'\n"), ["1: A=\"hunter2\""]);
        assert_eq!(
            told(Format::Dotenv, "A=hunter2\n\nA=hunter3\n"),
            ["line 3: `A` has another value in line 1"]
        );
        assert_eq!(
            told(Format::Json, "{\"a\": \"hunter2\",\n \"a\": \"hunter3\"}"),
            ["line 2: `a` has another value in line 1"]
        );
    }

    #[test]
    fn no_fault_repeats_the_text() {
        for form in [Format::Dotenv, Format::Json, Format::Yaml, Format::Toml, Format::Python] {
            for text in
                ["hunter2 hunter2", "{\"a\": hunter2", "a = 'hunter2", "a: [hunter2", "A=\"hunter2\" hunter2"]
            {
                let told = told(form, text).join("\n");
                let is_read = read(form, text.as_bytes()).is_ok();
                assert!(is_read || !told.contains("hunter2"), "{form:?}: {told}");
            }
        }
    }
}
