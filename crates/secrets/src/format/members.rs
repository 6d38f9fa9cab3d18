//! A JSON object with some of its members set, all others as they are written there.

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::json::members;

/// Why a document can't have a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDocument {
    /// What is there is something else.
    #[error("it is not a JSON object, so it has no members")]
    NotObject,
    /// JSON holds text only.
    #[error("a member of a JSON object must be UTF-8 text")]
    NotText,
}

/// The object `old`, or an empty one, with these members set. The memory has its final size from the start.
///
/// # Errors
///
/// When `old` is not an object, or a value is not text.
pub fn with_members(
    old: Option<&SecretValue>,
    new: &[(&str, &SecretValue)],
) -> Result<SecretValue, NoDocument> {
    let others = members(old.map_or(b"{}", SecretValue::plain)).ok_or(NoDocument::NotObject)?;
    // An escape has at most six bytes.
    let room = |key: &str, value: usize| key.len() * 6 + value + 8;
    let size: usize = others.iter().map(|(name, raw)| room(name, raw.len())).sum::<usize>()
        + new.iter().map(|(key, value)| room(key, value.plain().len() * 6)).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(size + 2));
    let begin = |text: &mut Zeroizing<Vec<u8>>, key: &str| {
        let before = if text.is_empty() { b'{' } else { b',' };
        text.push(before);
        text.extend_from_slice(serde_json::Value::from(key).to_string().as_bytes());
        text.push(b':');
    };
    for (name, raw) in others.iter().filter(|(name, _)| new.iter().all(|(key, _)| key != name)) {
        begin(&mut text, name);
        text.extend_from_slice(raw);
    }
    for (key, value) in new {
        let value = std::str::from_utf8(value.plain()).map_err(|_| NoDocument::NotText)?;
        begin(&mut text, key);
        serde_json::to_writer(&mut *text, value).map_err(|_| NoDocument::NotText)?;
    }
    if text.is_empty() {
        text.push(b'{');
    }
    text.push(b'}');
    Ok(SecretValue::new(std::mem::take(&mut *text)))
}

/// Whether two values are the same to whoever reads them: the same bytes, or JSON objects that are equal,
/// for those who keep a document by its members and write it anew.
pub fn is_same_document(one: &SecretValue, other: &SecretValue) -> bool {
    let object = |value: &SecretValue| {
        let value = serde_json::from_slice::<serde_json::Value>(value.plain()).ok()?;
        value.is_object().then_some(value)
    };
    one.is_same(other) || object(one).is_some_and(|one| Some(one) == object(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_members_stay_as_they_are_written() {
        let value = |text: &str| SecretValue::new(text.as_bytes().to_vec());
        let set = |old: Option<&str>, key: &str, new: &str| {
            let old = old.map(value);
            with_members(old.as_ref(), &[(key, &value(new))])
                .map(|all| String::from_utf8(all.plain().to_vec()).unwrap())
        };
        assert_eq!(set(None, "a", "x\n\"").unwrap(), "{\"a\":\"x\\n\\\"\"}");
        assert_eq!(
            set(Some("{ \"n\": 1.50, \"a\": [1, 2] }"), "b", "x").unwrap(),
            "{\"n\":1.50,\"a\":[1, 2],\"b\":\"x\"}"
        );
        assert_eq!(set(Some("{\"a\": 1, \"b\": 2}"), "a", "x").unwrap(), "{\"b\":2,\"a\":\"x\"}");
        assert_eq!(set(Some("hunter2"), "a", "x"), Err(NoDocument::NotObject));
        assert_eq!(
            with_members(None, &[("a", &SecretValue::new(vec![0xff]))]).unwrap_err(),
            NoDocument::NotText
        );
    }
}
