//! What is sent: JSON in memory of its final size that is wiped.

#![expect(
    clippy::disallowed_methods,
    reason = "values are written into the body of a request, which is wiped"
)]

use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::format::NoDocument;
use doppio_secrets::source::SourceError;

/// JSON that is wiped.
pub(super) type Body = Zeroizing<Vec<u8>>;

/// A JSON object of texts.
pub(super) fn object(fields: &[(&str, &SecretValue)]) -> Result<Body, SourceError> {
    with(None, fields)
}

/// The record `old` with one of its keys set, all others as they are written there.
pub(super) fn record(old: Option<&SecretValue>, key: &str, value: &SecretValue) -> Result<Body, SourceError> {
    with(old, &[(key, value)])
}

fn with(old: Option<&SecretValue>, new: &[(&str, &SecretValue)]) -> Result<Body, SourceError> {
    let all = format::with_members(old, new).map_err(|why| match why {
        NoDocument::NotObject => SourceError::unfit("the record is not a JSON object, so it has no keys"),
        NoDocument::NotText => SourceError::not_text("Vault"),
    })?;
    Ok(all.reveal(|bytes| Zeroizing::new(bytes.to_vec())))
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
        assert!(text.capacity() == 1215 && text.len() == 1215, "{}", text.len());
        assert!(object(&[("a", &SecretValue::new(vec![0xff; 8]))]).is_err());
        assert_eq!(object(&[]).unwrap().as_slice(), b"{}");
    }
}
