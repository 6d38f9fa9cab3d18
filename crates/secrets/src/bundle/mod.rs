//! Files with many secrets, read whole: dotenv, JSON, YAML, TOML.
//!
//! A value is read byte for byte, or refused with its line. No text of the file is in an error:
//! what is in the wrong place may be a secret.

mod dispute;
mod dotenv;
mod json;
mod toml;
mod yaml;

use crate::SecretValue;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `NAME=value` lines.
    Dotenv,
    /// One JSON object.
    Json,
    /// One YAML mapping.
    Yaml,
    /// One TOML table.
    Toml,
}

/// One value of a file.
#[derive(Debug)]
pub struct Entry {
    /// The variable, or the keys on the way down with `/` between them.
    pub key: String,
    /// Where its value begins, counted from 1.
    pub line: usize,
    /// The value, or why it can't be one: in words without it.
    pub value: Result<SecretValue, &'static str>,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Malformed {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there, without the text that is there.
    pub why: String,
}

const LIST: &str = "is a list, which has no name for each of its members";
const NULL: &str = "is null";

impl Form {
    /// The form that a file's name implies.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".json") {
            Some(Self::Json)
        } else if ends(".yaml") || ends(".yml") {
            Some(Self::Yaml)
        } else if ends(".toml") {
            Some(Self::Toml)
        } else if name == ".env" || name.starts_with(".env.") || ends(".env") || ends(".envrc") {
            Some(Self::Dotenv)
        } else {
            None
        }
    }

    /// The form of a text, for a file whose name does not say. TOML is tried before dotenv, which
    /// takes nearly everything; `NAME=plain` is not TOML.
    pub fn of_text(text: &[u8]) -> Self {
        let first = without_mark(text).trim_ascii_start().first();
        if first == Some(&b'{') {
            return Self::Json;
        }
        if dotenv::read(text).is_ok_and(|entries| !entries.is_empty()) {
            return Self::Dotenv;
        }
        [Self::Toml, Self::Yaml]
            .into_iter()
            .find(|form| read(*form, text).is_ok_and(|entries| !entries.is_empty()))
            .unwrap_or(Self::Dotenv)
    }
}

/// All values of a text, in its order. A key that occurs twice with the same value counts once.
///
/// # Errors
///
/// When the text is not of this form, or a key has two values.
pub fn read(form: Form, text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let entries = match form {
        Form::Dotenv => dotenv::read(text),
        Form::Json => json::read(without_mark(text)),
        Form::Yaml => yaml::read(without_mark(text)),
        Form::Toml => toml::read(without_mark(text)),
    }?;
    once(entries)
}

fn once(entries: Vec<Entry>) -> Result<Vec<Entry>, Malformed> {
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

/// Where and why other readers of a dotenv text find another value for a variable; none where they
/// find the same, or the text is not dotenv text.
pub(crate) fn disputed(text: &[u8], name: &str) -> Option<String> {
    dotenv::disputed(text, name)
}

/// Whether a dotenv text assigns to a variable more than once.
pub(crate) fn is_twice(text: &[u8], name: &str) -> bool {
    dotenv::is_twice(text, name)
}

/// The text without the byte order mark that some editors put before it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The line of a place in a text, counted from 1.
fn line_at(text: &[u8], offset: usize) -> usize {
    text[..offset.min(text.len())].split(|byte| *byte == b'\n').count()
}

/// A text of the file as UTF-8.
fn utf8(text: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(text).map_err(|error| Malformed {
        line: line_at(text, error.valid_up_to()),
        why: "it is not UTF-8 text".to_owned(),
    })
}

/// A value that the file writes as a text.
fn text_value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text comes to, in words.
    pub(super) fn told(form: Form, text: &str) -> Vec<String> {
        match read(form, text.as_bytes()) {
            Err(fault) => vec![fault.to_string()],
            Ok(entries) => entries
                .iter()
                .map(|entry| match &entry.value {
                    Ok(value) => {
                        format!("{}: {}={:?}", entry.line, entry.key, String::from_utf8_lossy(value.plain()))
                    }
                    Err(why) => format!("{}: {} {why}", entry.line, entry.key),
                })
                .collect(),
        }
    }

    #[test]
    fn names_and_texts_tell_the_form() {
        for (name, form) in [
            (".env", Some(Form::Dotenv)),
            (".env.local", Some(Form::Dotenv)),
            ("prod.env", Some(Form::Dotenv)),
            ("a.JSON", Some(Form::Json)),
            ("a.yml", Some(Form::Yaml)),
            ("a.toml", Some(Form::Toml)),
            ("secrets", None),
        ] {
            assert_eq!(Form::of_name(name), form, "{name}");
        }
        for (text, form) in [
            ("A=b\n", Form::Dotenv),
            ("export A='b'\n", Form::Dotenv),
            ("\u{feff} {\"a\": 1}", Form::Json),
            ("[a]\nb = 'c'\n", Form::Toml),
            ("a: b\n", Form::Yaml),
            ("nothing at all", Form::Dotenv),
        ] {
            assert_eq!(Form::of_text(text.as_bytes()), form, "{text}");
        }
    }

    #[test]
    fn a_key_with_two_values_is_refused() {
        assert_eq!(told(Form::Dotenv, "A=hunter2\n\nA='hunter2'\n"), ["1: A=\"hunter2\""]);
        assert_eq!(
            told(Form::Dotenv, "A=hunter2\n\nA=hunter3\n"),
            ["line 3: `A` has another value in line 1"]
        );
        assert_eq!(
            told(Form::Json, "{\"a\": \"hunter2\",\n \"a\": \"hunter3\"}"),
            ["line 2: `a` has another value in line 1"]
        );
    }

    #[test]
    fn no_fault_repeats_the_text() {
        for form in [Form::Dotenv, Form::Json, Form::Yaml, Form::Toml] {
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
