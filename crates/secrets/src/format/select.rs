//! `#PROPERTY`: a member of a structured value, by key or JSON pointer.
//!
//! The format is what the path of the item ends with (`.json`, `.toml`, `.env`, `.yaml`, `.yml`,
//! `.ini`). Else it is JSON where that fits; where it does not, every other format that fits is
//! asked, and the member is what those that have it agree on: a line more or less in the text can
//! take it away, and never change it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::SecretValue;
use crate::format::dotenv;
use crate::format::ini;
use crate::format::json;
use crate::format::kind::Format;
use crate::format::pointer::NoMember;
use crate::format::pointer::keys;
use crate::format::scalar::Scalar;
use crate::format::toml;
use crate::format::yaml;

/// The member of a value that has no path: see [`select_in`].
///
/// # Errors
///
/// As [`select_in`].
pub fn select(value: &SecretValue, property: &str) -> Result<Option<SecretValue>, String> {
    select_in(value, property, "")
}

/// The member of `value` that `property` names, or none where there is no such member. `path` is
/// where the value was found.
///
/// A property that begins with `/` is a JSON pointer (RFC 6901); any other is a key of the
/// outermost table, and in INI the key of the one section that has it. Text comes without its
/// quotes; numbers, `true` and `false` as they are written; tables and lists as JSON in a JSON
/// text, and not at all in the others.
///
/// # Errors
///
/// When the value is of no format that has members, or the member has no bytes of its own. Nothing
/// of the value is in the text.
pub fn select_in(value: &SecretValue, property: &str, path: &str) -> Result<Option<SecretValue>, String> {
    let keys = keys(property);
    let Ok(text) = std::str::from_utf8(value.plain()) else {
        return Err("it is not text, so it has no properties".to_owned());
    };
    let Some(format) = Format::of_path(path) else { return of_any_format(text, &keys) };
    of_format(format, text, &keys).map_err(|fault| match fault {
        NoMember::Format => format!("it is not {}, though its name says so", format.name()),
        NoMember::Member(cause) => cause,
    })
}

/// The member of a text of this format by a pointer; none where it has no bytes of its own.
///
/// # Errors
///
/// When the text is not of this format.
pub(crate) fn member(
    format: Format,
    value: &SecretValue,
    pointer: &str,
) -> Result<Option<SecretValue>, NotThisFormat> {
    let text = std::str::from_utf8(value.plain()).map_err(|_| NotThisFormat)?;
    match of_format(format, text, &keys(pointer)) {
        Err(NoMember::Format) => Err(NotThisFormat),
        Err(NoMember::Member(_)) => Ok(None),
        Ok(found) => Ok(found),
    }
}

/// A text is of another format.
#[derive(Debug)]
pub(crate) struct NotThisFormat;

/// A whole text as one type; none where it is not that. The parsers' words are dropped, for they
/// may hold the text.
pub fn parse<T: DeserializeOwned>(format: Format, text: &[u8]) -> Option<T> {
    match format {
        Format::Json => serde_json::from_slice(text).ok(),
        Format::Yaml => serde_saphyr::from_slice(text).ok(),
        Format::Toml => toml::whole(text),
        Format::Dotenv | Format::Ini | Format::Python => None,
    }
}

/// The member of a text whose format nothing tells.
fn of_any_format(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, String> {
    let mut is_read = false;
    let mut found: Option<(Format, SecretValue)> = None;
    for format in Format::ALL {
        let answer = match of_format(format, text, path) {
            Err(NoMember::Format) => continue,
            Err(NoMember::Member(cause)) => return Err(cause),
            Ok(answer) if format == Format::Json => return Ok(answer),
            Ok(answer) => answer,
        };
        is_read = true;
        let Some(value) = answer else { continue };
        let is_vague = format == Format::Ini && ini::is_vague(value.plain());
        match &found {
            // It has no word against a format that is sure.
            Some(_) if is_vague => {}
            None if is_vague => {
                return Err("readers of INI disagree on this property (its quotes, or what may be a \
                            comment): write the value as JSON"
                    .to_owned());
            }
            Some((other, earlier)) if !value.is_same(earlier) => {
                return Err(format!(
                    "{} and {} read this property differently: write the value as JSON",
                    other.name(),
                    format.name()
                ));
            }
            Some(_) => {}
            None => found = Some((format, value)),
        }
    }
    match found {
        Some((_, value)) => Ok(Some(value)),
        None if is_read => Ok(None),
        None => Err("it is not JSON, TOML, dotenv, YAML or INI, so it has no properties".to_owned()),
    }
}

fn of_format(format: Format, text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    match format {
        Format::Dotenv => dotenv::member_of(text, path),
        Format::Json => json::select_in(text, path),
        Format::Yaml => yaml::select(text, path),
        Format::Toml => toml::select(text, path),
        Format::Ini => ini::select(text, path),
        Format::Python => Err(NoMember::Format),
    }
}

/// All texts and numbers, at any depth, of a text that is not JSON, as each format reads it.
pub fn scalars(text: &str) -> Vec<Scalar> {
    toml::scalars(text).into_iter().chain(dotenv::scalars(text)).chain(yaml::scalars(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, property: &str) -> Result<Option<String>, String> {
        at("app", text, property)
    }

    fn at(path: &str, text: &str, property: &str) -> Result<Option<String>, String> {
        let found = select_in(&SecretValue::new(text.as_bytes().to_vec()), property, path)?;
        Ok(found.map(|value| String::from_utf8(value.plain().to_vec()).unwrap()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `of` gives back")]
    fn some(text: &str) -> Result<Option<String>, String> {
        Ok(Some(text.to_owned()))
    }

    #[test]
    fn json_by_key_and_pointer() {
        let text = r#" {"a": "p$\n\"q", "db": [{"url": "x"}, {"url": "\u00e9\ud83d\ude00", "a/b~c": 1}], "n": -1.50, "z": null} "#;
        assert_eq!(of(text, "a"), some("p$\n\"q"));
        assert_eq!(of(text, "/db/1/url"), some("é😀"));
        assert_eq!(of(text, "/db/1/a~1b~0c"), some("1"));
        assert_eq!(of(text, "/db/0"), some(r#"{"url": "x"}"#));
        assert_eq!(of(text, "n"), some("-1.50"));
        assert_eq!(of(text, "z"), Ok(None));
        assert_eq!(of(text, "/db/7/url"), Ok(None));
        assert_eq!(of(text, "/a/b"), Ok(None));
    }

    #[test]
    fn toml_by_key_and_pointer() {
        let text = "key = \"a\\nb\"\n[db]\nurls = ['x', 'y']\nport = 5432\n";
        assert_eq!(of(text, "key"), some("a\nb"));
        assert_eq!(of(text, "/db/urls/1"), some("y"));
        assert_eq!(of(text, "/db/port"), some("5432"));
        assert_eq!(of(text, "/db/host"), Ok(None));
        assert!(of(text, "db").unwrap_err().contains("table or a list"));
        assert_eq!(of("[a]\nb = 'c'\n", "/a/b"), some("c"));
    }

    #[test]
    fn dotenv_by_key() {
        let text = "# c\nA=p$HOME\nexport B='x\ny'\n";
        assert_eq!(of(text, "A"), some("p$HOME"));
        assert_eq!(of(text, "B"), some("x\ny"));
        assert_eq!(of(text, "C"), Ok(None));
    }

    #[test]
    fn yaml_by_key_and_pointer() {
        let text = "# c\n---\nkey: \"a\\nb\"\nplain: it's $HOME\nnumber: 1.50\nyes: yes\nnone: ~\n1: one\ndb:\n  \
                    urls: [x, 'y z']\n  pem: |\n    BEGIN\n    END\n  \"a/b\": c\n";
        assert_eq!(of(text, "key"), some("a\nb"));
        assert_eq!(of(text, "plain"), some("it's $HOME"));
        assert_eq!(of(text, "number"), some("1.50"));
        assert_eq!(of(text, "yes"), some("yes"));
        assert_eq!(of(text, "1"), some("one"));
        assert_eq!(of(text, "/db/urls/1"), some("y z"));
        assert_eq!(of(text, "/db/pem"), some("BEGIN\nEND\n"));
        assert_eq!(of(text, "/db/a~1b"), some("c"));
        for gone in ["none", "gone", "/db/gone", "/db/urls/7", "/plain/x", "/db/urls/x"] {
            assert_eq!(of(text, gone), Ok(None), "{gone}");
        }
        assert!(of(text, "db").unwrap_err().contains("table or a list"));
        assert_eq!(of("- a\n- b: c\n", "/1/b"), some("c"));
    }

    #[test]
    fn a_place_in_a_list_is_written_in_one_way() {
        for (path, text) in [
            ("app.json", r#"{"a": ["x", "y"]}"#),
            ("app.yaml", "a: [x, y]\n"),
            ("app.yaml", "a:\n  - x\n  - y\n"),
            ("app.toml", "a = ['x', 'y']\n"),
        ] {
            assert_eq!(at(path, text, "/a/1"), some("y"), "{text}");
            for other in ["01", "+1", "1 ", "-", "00", "", "18446744073709551617"] {
                assert_eq!(at(path, text, &format!("/a/{other}")), Ok(None), "{text}: {other}");
            }
        }
    }

    #[test]
    fn ini_by_key_and_pointer() {
        let text = "; c\n[default]\naws_secret = p$H%x/y+z=\nregion: eu\n[prod]\nregion = us\n";
        assert_eq!(of(text, "aws_secret"), some("p$H%x/y+z="));
        assert_eq!(of(text, "/prod/region"), some("us"));
        assert_eq!(of(text, "/default/AWS_SECRET"), some("p$H%x/y+z="));
        assert_eq!(of(text, "/prod/gone"), Ok(None));
        assert!(of(text, "region").unwrap_err().contains("`#/SECTION/KEY`"));
    }

    #[test]
    fn of_a_key_that_is_there_twice_none_is_taken() {
        for (path, text) in [
            ("app", r#"{"a": "hunter2", "b": 1, "a": "hunter3"}"#),
            ("app", r#"{"a": "hunter2", "b": 1, "\u0061": null}"#),
            // Twice is not TOML, and would be dotenv.
            ("app", "a = \"hunter2\"\nb = 1\na = \"hunter3\"\n"),
            ("app", "a=hunter2\nb=1\nexport a=hunter3\n"),
            ("app.env", "a=hunter2\nb=1\na=\n"),
            ("app.env", "a=hunter2\nb=1\na=hunter2\n"),
            ("app.yaml", r#"{"a": "hunter2", "b": 1, "a": "hunter3"}"#),
            ("app.yaml", "a: hunter2\nb: 1\na: hunter3\n"),
            ("app.yml", "a: ~\nb: 1\na: hunter3\n"),
            ("app.yml", "a: [hunter2]\nb: 1\na: hunter3\n"),
        ] {
            let fault = at(path, text, "a").unwrap_err();
            assert!(fault.contains("occurs twice"), "{text}: {fault}");
            assert_eq!(at(path, text, "b"), some("1"), "{text}");
        }
        let deep = r#"{"db": {"url": "x", "url": "y"}, "other": {"url": "z"}}"#;
        assert!(of(deep, "/db/url").unwrap_err().contains("occurs twice"));
        assert_eq!(of(deep, "/other/url"), some("z"));
        let fault = at("app.yaml", "db:\n  url: x\n  url: y\n", "/db/url").unwrap_err();
        assert!(fault.contains("occurs twice"), "{fault}");
    }

    #[test]
    fn a_line_more_changes_no_member() {
        let text = "[db]\nport = 5432\n";
        for text in [text.to_owned(), format!("{text}user = bob\n")] {
            assert_eq!(of(&text, "port"), some("5432"), "{text}");
            assert_eq!(of(&text, "/db/port"), some("5432"), "{text}");
            assert_eq!(of(&text, "host"), Ok(None), "{text}");
        }
        assert_eq!(of("A=\"p$x\"\n", "A"), some("p$x"));
        assert_eq!(of("A=\"p$x\"\nB=$x\n", "A"), some("p$x"));
    }

    #[test]
    fn what_two_forms_read_differently_is_refused() {
        let fault = |text: &str, property| of(text, property).unwrap_err();
        let words = "TOML and dotenv read this property differently: write the value as JSON";
        assert_eq!(fault("A=\"p\\u0041ss\"\n", "A"), words);
        assert_eq!(fault("A=1_000\n", "A"), words);
        assert_eq!(fault("A=2026-01-02 03:04:05\n", "A"), words);
        assert_eq!(of("[a]\nb = 1_000\n", "b"), some("1_000"));
        assert!(fault("[a]\nb = 1_000\n", "/a/b").starts_with("TOML and INI read"));
        // INI's own readers differ on these: TOML says what they are, and INI alone does not.
        let words = "readers of INI disagree";
        for written in ["'x'", "\"x\"", "\"x\" # c"] {
            let text = format!("[a]\nb = {written}\n");
            assert_eq!(of(&text, "/a/b"), some("x"), "{text}");
            let fault = of(&format!("{text}c = d\n"), "/a/b").unwrap_err();
            assert!(fault.starts_with(words), "{text}");
        }
        assert!(fault("[a]\nb = x ; c\n", "b").starts_with(words));
        assert_eq!(at("app.ini", "[a]\nb = x ; c\n", "b"), some("x ; c"));
    }

    #[test]
    fn the_end_of_a_path_says_the_form() {
        // Both dotenv and YAML could read it.
        let text = "A: 'x'\n";
        assert_eq!(at("app.yml", text, "A"), some("x"));
        let fault = at("app.json", text, "A").unwrap_err();
        assert_eq!(fault, "it is not JSON, though its name says so");
        assert_eq!(at("app.ini", "[a]\nb = 'c'\n", "b"), some("'c'"));
        assert_eq!(at("app.toml", "[a]\nb = 'c'\n", "/a/b"), some("c"));
    }

    #[test]
    fn what_has_no_members_says_so_without_its_text() {
        for text in ["hunter2 hunter2", "{\"a\": hunter2", "\u{0}"] {
            let fault = of(text, "a").unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
