//! `#PROPERTY`: a member of a structured value, by key or JSON pointer.
//!
//! JSON, TOML and dotenv texts are understood, told apart by trying in this order. (YAML and INI
//! are not: their values can be stored apart.) Of JSON only the member itself is copied out; what
//! the TOML and dotenv parsers copy is wiped as far as it comes back to us.

mod json;

use std::borrow::Cow;

use toml::de::DeTable;
use toml::de::DeValue;
use zeroize::Zeroize;

use crate::secret::SecretValue;
use crate::secret::source;

pub(super) use json::leaves as json_leaves;

/// The member of `value` that `property` names, or none where there is no such member.
///
/// A property that begins with `/` is a JSON pointer (RFC 6901); any other is a key of the
/// outermost table. Text comes without its quotes; numbers, `true` and `false` as they are
/// written; tables and lists as JSON in a JSON text, and not at all in the others.
///
/// # Errors
///
/// When the value is of no form that has members, or the member has no bytes of its own. Nothing
/// of the value is in the text.
pub(super) fn select(value: &SecretValue, property: &str) -> Result<Option<SecretValue>, String> {
    let path = keys(property);
    let bytes = value.plain();
    let is_json = bytes.trim_ascii_start().first().is_some_and(|first| b"{[".contains(first));
    if is_json && let Ok(found) = json::select(bytes, &path) {
        return Ok(found.map(SecretValue::new));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("it is not text, so it has no properties".to_owned());
    };
    if let Ok(table) = DeTable::parse(text) {
        return in_toml(table.into_inner(), &path);
    }
    match (source::dotenv_select(bytes, &path[0]), path.len()) {
        (Ok(found), 1) => Ok(found),
        (Ok(_), _) => Ok(None),
        (Err(_), _) => Err("it is not JSON, TOML or dotenv, so it has no properties".to_owned()),
    }
}

/// A member of a JSON text by its keys, byte for byte; none where there is no such member or the
/// text is no JSON.
#[cfg(feature = "vault")]
pub(super) fn json_member(text: &[u8], keys: &[&str]) -> Option<SecretValue> {
    let path: Vec<Cow<'_, str>> = keys.iter().map(|key| Cow::Borrowed(*key)).collect();
    json::select(text, &path).ok().flatten().map(SecretValue::new)
}

/// The keys on the way down; never empty.
fn keys(property: &str) -> Vec<Cow<'_, str>> {
    match property.strip_prefix('/') {
        None => vec![Cow::Borrowed(property)],
        Some(pointer) => pointer
            .split('/')
            .map(|key| {
                if key.contains('~') {
                    Cow::Owned(key.replace("~1", "/").replace("~0", "~"))
                } else {
                    Cow::Borrowed(key)
                }
            })
            .collect(),
    }
}

fn in_toml(mut table: DeTable<'_>, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, String> {
    let (first, rest) = path.split_first().expect("a path has a key");
    let mut found = table.remove(first.as_ref()).map(toml::Spanned::into_inner);
    for key in rest {
        found = match found {
            Some(DeValue::Table(mut inner)) => {
                let next = inner.remove(key.as_ref());
                wipe(&mut DeValue::Table(inner));
                next.map(toml::Spanned::into_inner)
            }
            Some(DeValue::Array(mut items)) => {
                let at: Option<usize> = key.parse().ok();
                let next = at
                    .and_then(|at| items.get_mut(at))
                    .map(|item| std::mem::replace(item.get_mut(), DeValue::Boolean(false)));
                wipe(&mut DeValue::Array(items));
                next
            }
            other => {
                if let Some(mut value) = other {
                    wipe(&mut value);
                }
                None
            }
        };
    }
    wipe(&mut DeValue::Table(table));
    match found {
        None => Ok(None),
        Some(DeValue::String(text)) => Ok(Some(SecretValue::new(text.into_owned().into_bytes()))),
        Some(DeValue::Integer(number)) => Ok(Some(SecretValue::new(number.to_string().into_bytes()))),
        Some(DeValue::Float(number)) => Ok(Some(SecretValue::new(number.to_string().into_bytes()))),
        Some(DeValue::Boolean(truth)) => Ok(Some(SecretValue::new(truth.to_string().into_bytes()))),
        Some(DeValue::Datetime(time)) => Ok(Some(SecretValue::new(time.to_string().into_bytes()))),
        Some(mut other @ (DeValue::Array(_) | DeValue::Table(_))) => {
            wipe(&mut other);
            Err("this property is a table or a list: name a member of it".to_owned())
        }
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
    use super::*;

    fn of(text: &str, property: &str) -> Result<Option<String>, String> {
        let found = select(&SecretValue::new(text.as_bytes().to_vec()), property)?;
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
    fn what_has_no_members_says_so_without_its_text() {
        for text in ["hunter2 hunter2", "{\"a\": hunter2", "\u{0}"] {
            let fault = of(text, "a").unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
