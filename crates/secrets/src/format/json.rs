//! JSON, without a copy of more than what is asked for.
//!
//! `serde_json` first says whether the text is JSON, and copies nothing for that. Then one walk
//! over the bytes, which may be trusted, finds the members, as they are written: a value keeps its
//! digits, a key that occurs twice is seen, and only what is taken out is copied, and wiped.

mod raw;

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::SecretValue;
use crate::format::entry::Entry;
use crate::format::entry::LIST;
use crate::format::entry::Malformed;
use crate::format::entry::NULL;
use crate::format::entry::line_at;
use crate::format::pointer::NoMember;
use crate::format::pointer::index;
use crate::format::scalar::Scalar;
use crate::format::scalar::telling_key;

use raw::Raw;
use raw::is_deep;
use raw::unescaped;

/// Why a text is not a value of a file.
const HALF: &str = "holds half of a surrogate pair, such as `\\ud800`, which is not text";

/// The member's bytes, if it is there and not `null`.
fn select(text: &[u8], path: &[Cow<'_, str>]) -> Result<Option<Vec<u8>>, NoMember> {
    let mut at = Raw::new(text)?;
    for key in path {
        let next = match at.first() {
            b'{' => at.member(key)?,
            _ => index(key).and_then(|wanted| at.items().nth(wanted)),
        };
        let Some(next) = next else { return Ok(None) };
        at = next;
    }
    Ok(match at.written {
        b"null" => None,
        [b'"', ..] => Some(std::mem::take(&mut *unescaped(at.written).ok_or_else(half)?)),
        written => Some(written.to_vec()),
    })
}

fn half() -> NoMember {
    NoMember::Member("this property holds half of a surrogate pair, which is not text".to_owned())
}

/// The member of a text that is a table or a list.
pub(super) fn select_in(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    if !text.trim_ascii_start().starts_with(['{', '[']) {
        return Err(NoMember::Format);
    }
    Ok(select(text.as_bytes(), path)?.map(SecretValue::new))
}

/// A member of a JSON text by its keys, byte for byte; none where there is no such member or the
/// text is not JSON.
pub fn member(text: &[u8], keys: &[&str]) -> Option<SecretValue> {
    let path: Vec<Cow<'_, str>> = keys.iter().map(|key| Cow::Borrowed(*key)).collect();
    select(text, &path).ok().flatten().map(SecretValue::new)
}

/// The items of a JSON list, each byte for byte; none where the text is not JSON, or not a list.
pub fn values(text: &[u8]) -> Option<Vec<SecretValue>> {
    Some(items(text).ok()??.into_iter().map(SecretValue::new).collect())
}

/// The items of a list as they are written, in one walk; none where the text is not a list.
fn items(text: &[u8]) -> Result<Option<Vec<Vec<u8>>>, NoMember> {
    let list = Raw::new(text)?;
    let items = || list.items().map(|item| item.written.to_vec()).collect();
    Ok((list.first() == b'[').then(items))
}

/// The members of an object, in the order of the text, each with its value as it is written; none
/// where the text is not an object, or a name in it is not text.
pub fn members(text: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let object = Raw::new(text).ok().filter(|raw| raw.first() == b'{')?;
    let member = |(name, value): (&[u8], Raw<'_>)| {
        let name = std::str::from_utf8(&unescaped(name)?).ok()?.to_owned();
        Some((name, value.offset..value.offset + value.written.len()))
    };
    let members: Vec<_> = object.members().map(member).collect::<Option<_>>()?;
    Some(members.into_iter().map(|(name, place)| (name, &text[place])).collect())
}

/// All values of an object.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(text) {
        let why = format!("it is not JSON (column {})", error.column());
        return Err(Malformed { line: error.line().max(1), why });
    }
    let leaves = leaves(text).map_err(|()| Malformed {
        line: 1,
        why: "it is not a JSON object: expected `{\"NAME\": \"value\"}`".to_owned(),
    })?;
    Ok(leaves
        .into_iter()
        .map(|leaf| Entry {
            key: leaf.keys.join("/"),
            line: line_at(text, leaf.offset),
            value: match text[leaf.offset] {
                b'[' => Err(LIST),
                b'n' => Err(NULL),
                _ => leaf.value.map(SecretValue::new).ok_or(HALF),
            },
        })
        .collect())
}

/// One member of a JSON object that has no members of its own.
#[derive(Debug)]
struct Leaf {
    /// The keys on the way down.
    pub keys: Vec<String>,
    /// Where its value begins.
    pub offset: usize,
    /// A text without its quotes, anything else as it is written; none for a text with half of a
    /// surrogate pair in it.
    pub value: Option<Vec<u8>>,
}

/// All leaves of an object, in the order of the text; a list counts as a leaf. `text` must be
/// JSON, as `serde_json` reads it.
fn leaves(text: &[u8]) -> Result<Vec<Leaf>, ()> {
    let object = Raw::of(text);
    if object.first() != b'{' || is_deep(text) {
        return Err(());
    }
    let mut leaves = Vec::new();
    object.leaves(&mut Vec::new(), &mut leaves);
    Ok(leaves)
}

/// All texts and numbers; none where the text is not JSON, has no members, or is too deep.
pub(crate) fn scalars(text: &[u8]) -> Option<Vec<Scalar>> {
    let root = Raw::new(text).ok().filter(|_| !is_deep(text))?;
    let mut found = Vec::new();
    matches!(root.first(), b'{' | b'[').then(|| root.scalars("", false, &mut found))?;
    Some(found)
}

impl Raw<'_> {
    /// Keeps the leaves of an object that is not too deep.
    fn leaves(self, above: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        for (key, value) in self.members() {
            above.push(shown(key));
            match value.first() {
                b'{' => value.leaves(above, leaves),
                first => {
                    let plain = match first {
                        b'"' => unescaped(value.written).map(|mut text| std::mem::take(&mut *text)),
                        _ => Some(value.written.to_vec()),
                    };
                    leaves.push(Leaf { keys: above.clone(), offset: value.offset, value: plain });
                }
            }
            above.pop();
        }
    }

    /// Keeps the texts and numbers of a value that is not too deep.
    fn scalars(self, key: &str, is_item: bool, found: &mut Vec<Scalar>) {
        match self.first() {
            b'{' => self.members().for_each(|(own, value)| {
                value.scalars(telling_key(key, &shown(own)), false, found);
            }),
            b'[' => self.items().for_each(|item| item.scalars(key, true, found)),
            b'"' => found.extend(unescaped(self.written).map(|text| Scalar::new(key, &text, is_item))),
            _ => found.extend(Scalar::of_number(key, &String::from_utf8_lossy(self.written), is_item)),
        }
    }
}

/// A key for people.
fn shown(key: &[u8]) -> String {
    unescaped(key).map_or_else(
        || char::REPLACEMENT_CHARACTER.to_string(),
        |key| String::from_utf8_lossy(&key).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::format::Format;
    use crate::format::whole::tests::told;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((".{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn check(whole: &[u8], value: &Value, path: &mut Vec<String>) -> Result<(), TestCaseError> {
        if !path.is_empty() {
            let keys: Vec<Cow<'_, str>> = path.iter().map(|key| Cow::Borrowed(key.as_str())).collect();
            let found = select(whole, &keys).expect("it is JSON");
            match value {
                Value::Null => prop_assert_eq!(found, None),
                Value::String(text) => prop_assert_eq!(found.as_deref(), Some(text.as_bytes())),
                other => prop_assert_eq!(&serde_json::from_slice::<Value>(&found.unwrap()).unwrap(), other),
            }
        }
        let members: Vec<(String, &Value)> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
            _ => Vec::new(),
        };
        for (key, member) in members {
            path.push(key);
            check(whole, member, path)?;
            path.pop();
        }
        Ok(())
    }

    #[test]
    fn half_of_a_pair_is_no_text() {
        let text = br#"{"whole": "\ud83d\ude00", "a": "\ud800", "b": "\ud83dx", "c": "\udc00", "d": "\ud83d\u0041"}"#;
        let found = |key| select(text, &[Cow::Borrowed(key)]);
        assert_eq!(found("whole").unwrap().unwrap(), "😀".as_bytes());
        for key in ["a", "b", "c", "d"] {
            assert!(matches!(found(key), Err(NoMember::Member(_))), "{key}");
        }
        assert_eq!(leaves(text).unwrap().iter().filter(|leaf| leaf.value.is_none()).count(), 4);
    }

    fn count(value: &Value) -> usize {
        value.as_object().map_or(1, |members| members.values().map(count).sum())
    }

    #[test]
    fn items_are_found_in_one_walk() {
        let text = br#" [ {"a": [1, 2]} , "b]", null,3 ] "#;
        let found = items(text).unwrap().unwrap();
        assert_eq!(found, [&br#"{"a": [1, 2]}"#[..], br#""b]""#, b"null", b"3"]);
        assert_eq!(items(b"[]").unwrap(), Some(Vec::new()));
        assert_eq!(items(b"{}").unwrap(), None);
        assert_eq!(items(b"[1").unwrap_err(), NoMember::Format);
    }

    #[test]
    fn members_are_read_at_any_depth() {
        let text = "{\"A\": \"p$\\n\\\"q\", \"n\": -1.50,\n \"db\": {\"url\": \"\\u00e9\", \"x\": {}, \"t\": true},\n \"l\": [1, {\"a\": \"]\"}], \"z\": null, \"e\": \"\"}";
        assert_eq!(
            told(Format::Json, text),
            [
                "1: A=\"p$\\n\\\"q\"",
                "1: n=\"-1.50\"",
                "2: db/url=\"é\"",
                "2: db/t=\"true\"",
                "3: l is a list, which has no name for each of its members",
                "3: z is null",
                "3: e=\"\"",
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(told(Format::Json, "{\"a\":\n hunter2}"), ["line 2: it is not JSON (column 2)"]);
        assert_eq!(
            told(Format::Json, "[\"hunter2\"]"),
            ["line 1: it is not a JSON object: expected `{\"NAME\": \"value\"}`"]
        );
        assert_eq!(told(Format::Json, "{}"), [""; 0]);
        assert_eq!(
            told(Format::Json, "{\"a\": \"x\\ud800hunter2\"}"),
            ["1: a holds half of a surrogate pair, such as `\\ud800`, which is not text"]
        );
    }

    proptest! {
        #[test]
        fn every_member_is_found_as_serde_finds_it(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            check(&text, &value, &mut Vec::new())?;
        }

        #[test]
        fn every_leaf_is_found(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            let Ok(leaves) = leaves(&text) else {
                prop_assert!(!value.is_object());
                return Ok(());
            };
            prop_assert_eq!(leaves.len(), count(&value));
            for leaf in leaves {
                let keys: Vec<Cow<'_, str>> = leaf.keys.iter().map(|key| Cow::Borrowed(key.as_str())).collect();
                let found = select(&text, &keys).expect("it is JSON").unwrap_or(b"null".to_vec());
                prop_assert_eq!(Some(found), leaf.value);
            }
        }

        #[test]
        fn no_text_breaks_it(text in "[\\[\\]{}\",:\\\\a-c0-9 u]{0,24}", key in "[a-c0-2]{0,2}") {
            let _found = select(text.as_bytes(), &[Cow::Borrowed(key.as_str())]);
            let _found = items(text.as_bytes());
        }
    }
}
