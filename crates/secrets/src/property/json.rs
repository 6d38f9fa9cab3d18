//! A member of a JSON text without a copy of the rest.
//!
//! `serde_json` first says whether the text is JSON, and copies nothing for that. The way down to
//! the member is then walked over the bytes, which may be trusted.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::property::Scalar;
use crate::property::index;

/// Why no member is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text is not JSON.
    NotJson,
    /// The member holds half of a surrogate pair, which is not text.
    Half,
    /// A key on the way occurs twice; parsers differ in which one they take (RFC 8259, section 4).
    Twice,
}

/// The member's bytes, if it is there and not `null`.
pub(super) fn select(text: &[u8], path: &[Cow<'_, str>]) -> Result<Option<Vec<u8>>, Fault> {
    let mut at = Cursor::new(text)?;
    for key in path {
        let found = match at.peek() {
            b'{' => at.member(key)?,
            b'[' => index(key).is_some_and(|wanted| at.enter(|_, index| index == wanted)),
            _ => false,
        };
        if !found {
            return Ok(None);
        }
    }
    let start = at.at;
    at.skip();
    let raw = &text[start..at.at];
    Ok(match raw {
        b"null" => None,
        [b'"', ..] => Some(std::mem::take(&mut *unescaped(raw).ok_or(Fault::Half)?)),
        _ => Some(raw.to_vec()),
    })
}

/// The items of a list as they are written, in one walk; none where the text is not a list.
pub(super) fn items(text: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Fault> {
    let mut at = Cursor::new(text)?;
    if at.peek() != b'[' {
        return Ok(None);
    }
    let mut items = Vec::new();
    at.at += 1;
    loop {
        at.space();
        if at.peek() == b',' {
            at.at += 1;
            at.space();
        }
        if at.peek() == b']' || at.at >= text.len() {
            return Ok(Some(items));
        }
        let start = at.at;
        at.skip();
        items.push(text[start..at.at].to_vec());
    }
}

/// The members of an object, in the order of the text, each with its value as it is written; none
/// where the text is not an object, or a name in it is not text.
pub fn members(text: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut at = Cursor::new(text).ok()?;
    if at.peek() != b'{' {
        return None;
    }
    at.at += 1;
    let mut members = Vec::new();
    loop {
        at.space();
        if at.peek() != b'"' {
            return Some(members);
        }
        let start = at.at;
        at.string();
        let name = std::str::from_utf8(&unescaped(&text[start..at.at])?).ok()?.to_owned();
        at.space();
        at.at += 1; // the colon
        at.space();
        let start = at.at;
        at.skip();
        members.push((name, &text[start..at.at]));
        at.space();
        if at.peek() == b',' {
            at.at += 1;
        }
    }
}

/// One member of a JSON object that has no members of its own.
#[derive(Debug)]
pub(crate) struct Leaf {
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
pub(crate) fn leaves(text: &[u8]) -> Result<Vec<Leaf>, ()> {
    let mut at = Cursor { text, at: 0 };
    at.space();
    if at.peek() != b'{' || is_deep(text) {
        return Err(());
    }
    let mut leaves = Vec::new();
    at.leaves(&mut Vec::new(), &mut leaves);
    Ok(leaves)
}

/// No document of secrets is deeper; what is may be made to break its readers.
const DEEPEST: usize = 128;

/// Whether tables and lists are within one another more often than is gone after.
fn is_deep(text: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, Cursor { text, at: 0 });
    while at.at < text.len() {
        match at.peek() {
            b'"' => at.string(),
            open => {
                depth = match open {
                    b'{' | b'[' => depth + 1,
                    b'}' | b']' => depth.saturating_sub(1),
                    _ => depth,
                };
                at.at += 1;
            }
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// All texts and numbers; none where the text is not JSON, has no members, or is too deep.
pub(crate) fn scalars(text: &[u8]) -> Option<Vec<Scalar>> {
    let mut at = Cursor::new(text).ok().filter(|_| !is_deep(text))?;
    let mut found = Vec::new();
    matches!(at.peek(), b'{' | b'[').then(|| at.scalars("", false, &mut found))?;
    Some(found)
}

/// A place in a text that is known to be JSON.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The place where the value begins.
    fn new(text: &'a [u8]) -> Result<Self, Fault> {
        serde_json::from_slice::<IgnoredAny>(text).map_err(|_| Fault::NotJson)?;
        let mut at = Self { text, at: 0 };
        at.space();
        Ok(at)
    }

    /// Goes to the value of this key in the table that begins here.
    fn member(&mut self, key: &str) -> Result<bool, Fault> {
        let is_it = |at: &mut Self, _| {
            let start = at.at;
            at.skip();
            let name = unescaped(&at.text[start..at.at]);
            at.space();
            at.at += 1; // the colon
            at.space();
            name.is_some_and(|name| name.as_slice() == key.as_bytes())
        };
        if !self.enter(is_it) {
            return Ok(false);
        }
        let mut behind = Self { text: self.text, at: self.at };
        behind.skip();
        behind.space();
        // `enter` goes over the sign before the first member, here the comma before the next one.
        if behind.peek() == b',' && behind.enter(is_it) { Err(Fault::Twice) } else { Ok(true) }
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(b' ')
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Goes over the members of a table or list until `is_it` says so of one, and stops at its
    /// value. For a table, `is_it` reads the key and the colon.
    fn enter(&mut self, is_it: impl Fn(&mut Self, usize) -> bool) -> bool {
        self.at += 1;
        for index in 0.. {
            self.space();
            if matches!(self.peek(), b'}' | b']') || self.at >= self.text.len() {
                return false;
            }
            if is_it(self, index) {
                return true;
            }
            self.skip();
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        false
    }

    /// Goes behind the object that begins here, which is not too deep, and keeps its leaves.
    fn leaves(&mut self, above: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        self.at += 1;
        loop {
            self.space();
            if self.peek() != b'"' {
                self.at += 1;
                return;
            }
            let key = self.key();
            above.push(key);
            if self.peek() == b'{' {
                self.leaves(above, leaves);
            } else {
                let offset = self.at;
                self.skip();
                let raw = &self.text[offset..self.at];
                let value = match raw {
                    [b'"', ..] => unescaped(raw).map(|mut text| std::mem::take(&mut *text)),
                    _ => Some(raw.to_vec()),
                };
                leaves.push(Leaf { keys: above.clone(), offset, value });
            }
            above.pop();
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
        }
    }

    /// Goes to the value of the key that begins here.
    fn key(&mut self) -> String {
        let start = self.at;
        self.string();
        let key = unescaped(&self.text[start..self.at]);
        self.space();
        self.at += 1; // the colon
        self.space();
        key.map_or_else(
            || char::REPLACEMENT_CHARACTER.to_string(),
            |key| String::from_utf8_lossy(&key).into_owned(),
        )
    }

    /// Goes behind the value that begins here, which is not too deep, and keeps its texts and
    /// numbers.
    fn scalars(&mut self, key: &str, is_item: bool, found: &mut Vec<Scalar>) {
        let start = self.at;
        let is_table = match self.peek() {
            b'{' => true,
            b'[' => false,
            first => {
                self.skip();
                let raw = &self.text[start..self.at];
                match first {
                    b'"' => found.extend(unescaped(raw).map(|text| Scalar::new(key, &text, is_item))),
                    _ => found.extend(Scalar::of_number(key, &String::from_utf8_lossy(raw), is_item)),
                }
                return;
            }
        };
        self.at += 1;
        loop {
            self.space();
            if matches!(self.peek(), b'}' | b']') || self.at >= self.text.len() {
                self.at += 1;
                return;
            }
            if is_table {
                let key = self.key();
                self.scalars(&key, false, found);
            } else {
                self.scalars(key, true, found);
            }
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
        }
    }

    /// Goes behind the value that begins here.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth > 0 => self.at += 1,
                _ => {
                    while self.text.get(self.at).is_some_and(|b| !b",:]} \n\r\t".contains(b)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 || self.at >= self.text.len() {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.text.len() && self.text[self.at] != b'"' {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }
}

/// The text of a JSON string with its quotes; none if half of a surrogate pair is in it. It is
/// never longer than what is written.
fn unescaped(raw: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let inner = &raw[1..raw.len() - 1];
    let mut plain = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut at = 0;
    while at < inner.len() {
        if inner[at] != b'\\' {
            plain.push(inner[at]);
            at += 1;
            continue;
        }
        at += 2;
        match inner[at - 1] {
            b'n' => plain.push(b'\n'),
            b't' => plain.push(b'\t'),
            b'r' => plain.push(b'\r'),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'u' => {
                let first = hex(inner, at);
                at += 4;
                let code = if (0xd800..0xdc00).contains(&first) && inner.get(at..at + 2) == Some(b"\\u") {
                    let second = hex(inner, at + 2).checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    at += 6;
                    0x10000 + ((first - 0xd800) << 10) + second
                } else {
                    first
                };
                plain.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// The four hexadecimal digits at `at`.
fn hex(text: &[u8], at: usize) -> u32 {
    let digits = text.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

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
            assert!(matches!(found(key), Err(Fault::Half)), "{key}");
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
        assert_eq!(items(b"[1").unwrap_err(), Fault::NotJson);
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
