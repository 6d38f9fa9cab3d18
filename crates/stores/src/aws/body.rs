//! What is sent: JSON that is wiped, in memory of its final size where a value is in it.

#![expect(
    clippy::disallowed_methods,
    reason = "values are written into the body of a request, which is wiped"
)]

use data_encoding::BASE64;
use serde_json::Value;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;

/// JSON that is wiped.
pub(super) type Body = Zeroizing<Vec<u8>>;

/// A request that holds no value.
pub(super) fn plain(request: &Value) -> Body {
    Zeroizing::new(request.to_string().into_bytes())
}

/// The object `request` with a value of Secrets Manager behind its members: as text where it is text,
/// so that the console shows it.
pub(super) fn with_secret(request: &Value, value: &SecretValue) -> Body {
    match std::str::from_utf8(value.expose()) {
        Ok(text) => with_text(request, "SecretString", text),
        Err(_) => with_bytes(request, "SecretBinary", value.expose()),
    }
}

/// The object `request` with a text behind its members.
pub(super) fn with_text(request: &Value, key: &str, text: &str) -> Body {
    // An escape has at most six bytes.
    let mut body = begun(request, key, text.len() * 6);
    serde_json::to_writer(&mut *body, text).expect("a text is JSON");
    body.push(b'}');
    body
}

fn with_bytes(request: &Value, key: &str, bytes: &[u8]) -> Body {
    let length = BASE64.encode_len(bytes.len());
    let mut body = begun(request, key, length);
    body.push(b'"');
    let start = body.len();
    body.resize(start + length, 0);
    BASE64.encode_mut(bytes, &mut body[start..]);
    body.extend_from_slice(b"\"}");
    body
}

/// The object up to the value behind this key, and room for a value of `length` bytes.
fn begun(request: &Value, key: &str, length: usize) -> Body {
    let others = request.to_string();
    let others = others.strip_suffix('}').expect("a request is an object");
    let mut body = Zeroizing::new(Vec::with_capacity(others.len() + key.len() + length + 8));
    body.extend_from_slice(others.as_bytes());
    if others.len() > 1 {
        body.push(b',');
    }
    body.extend_from_slice(format!("\"{key}\":").as_bytes());
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(body: &Body) -> &str {
        std::str::from_utf8(body).unwrap()
    }

    #[test]
    fn text_goes_as_text_and_bytes_as_bytes() {
        let request = json!({ "SecretId": "a\"b" });
        let body = with_secret(&request, &SecretValue::new("ü\"\n".into()));
        assert_eq!(shown(&body), r#"{"SecretId":"a\"b","SecretString":"ü\"\n"}"#);
        let body = with_secret(&request, &SecretValue::new(vec![0xff, 0xfe]));
        assert_eq!(shown(&body), r#"{"SecretId":"a\"b","SecretBinary":"//4="}"#);
        assert_eq!(shown(&with_text(&json!({}), "Value", "x")), r#"{"Value":"x"}"#);
        assert_eq!(shown(&plain(&request)), r#"{"SecretId":"a\"b"}"#);
    }

    #[test]
    fn memory_is_of_its_final_size() {
        let request = json!({ "Name": "n" });
        for value in ["\u{1}".repeat(1000).into_bytes(), vec![0xff; 1000]] {
            let value = SecretValue::new(value);
            let body = with_secret(&request, &value);
            let begun = r#"{"Name":"n""#.len() + "SecretString".len();
            let room = begun + value.expose().len() * 6 + 8;
            assert!(body.capacity() <= room, "{}", body.capacity());
        }
    }
}
