//! What is sent: JSON in memory of its final size that is wiped.

#![expect(
    clippy::disallowed_methods,
    reason = "values are written into the body of a request, which is wiped"
)]

use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::SourceError;

/// JSON that is wiped.
pub(super) type Body = Zeroizing<Vec<u8>>;

/// A JSON object of texts.
pub(super) fn object(fields: &[(&str, &SecretValue)]) -> Result<Body, SourceError> {
    let size: usize = fields.iter().map(|(key, value)| room(key, value)).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(size + 2));
    for (key, value) in fields {
        member(&mut text, key, value)?;
    }
    Ok(close(text))
}

/// The record `old` with one of its keys set, all others as they are written there.
pub(super) fn record(old: Option<&SecretValue>, key: &str, value: &SecretValue) -> Result<Body, SourceError> {
    let none = SecretValue::new(b"{}".to_vec());
    old.unwrap_or(&none).reveal(|others| with_member(others, key, value))
}

/// The members of `others` with one of them set.
fn with_member(others: &[u8], key: &str, value: &SecretValue) -> Result<Body, SourceError> {
    let others = format::json_members(others)
        .ok_or_else(|| SourceError::unfit("the record is not a JSON object, so it has no keys"))?;
    let size: usize = others.iter().map(|(name, raw)| name.len() * 6 + raw.len() + 4).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(size + room(key, value) + 2));
    for (name, raw) in others.iter().filter(|(name, _)| name != key) {
        begin(&mut text, name);
        text.extend_from_slice(raw);
    }
    member(&mut text, key, value)?;
    Ok(close(text))
}

/// What a member takes: an escape has at most six bytes.
fn room(key: &str, value: &SecretValue) -> usize {
    (key.len() + value.reveal(<[u8]>::len)) * 6 + 8
}

fn begin(text: &mut Body, key: &str) {
    let before = if text.is_empty() { b'{' } else { b',' };
    text.push(before);
    serde_json::to_writer(&mut **text, key).expect("a text is JSON");
    text.push(b':');
}

fn member(text: &mut Body, key: &str, value: &SecretValue) -> Result<(), SourceError> {
    begin(text, key);
    value.reveal(|bytes| {
        let value = std::str::from_utf8(bytes).map_err(|_| SourceError::not_text("Vault"))?;
        serde_json::to_writer(&mut **text, value).expect("a text is JSON");
        Ok(())
    })
}

fn close(mut text: Body) -> Body {
    if text.is_empty() {
        text.push(b'{');
    }
    text.push(b'}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    #[test]
    fn others_stay_as_they_are_written() {
        let old = secret(
            r#" {"port": 5432, "big":12345678901234567890.10, "n":null,"o": {"a" : [1 ,"x"]},
            "k":"old","t":"a\u00e9\n"} "#,
        );
        let new = record(Some(&old), "k", &secret("ne\"w\n")).unwrap();
        assert_eq!(
            std::str::from_utf8(&new).unwrap(),
            r#"{"port":5432,"big":12345678901234567890.10,"n":null,"o":{"a" : [1 ,"x"]},"t":"a\u00e9\n","k":"ne\"w\n"}"#
        );
        assert_eq!(record(None, "value", &secret("x")).unwrap().as_slice(), br#"{"value":"x"}"#);
        assert_eq!(record(Some(&secret("{}")), "a", &secret("x")).unwrap().as_slice(), br#"{"a":"x"}"#);
        assert!(record(Some(&secret("[1]")), "a", &secret("x")).is_err());
    }

    #[test]
    fn memory_is_of_its_final_size() {
        let value = secret(&"\u{1}".repeat(100));
        let text = object(&[("a", &value), ("b", &value)]).unwrap();
        assert!(text.capacity() <= (101 * 6 + 8) * 2 + 2 && text.len() == 1215, "{}", text.len());
        assert!(object(&[("a", &SecretValue::new(vec![0xff; 8]))]).is_err());
        assert_eq!(object(&[]).unwrap().as_slice(), b"{}");
    }
}
