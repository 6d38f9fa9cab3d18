//! What AWS answers: JSON that is wiped, whose values are taken out byte for byte.

#![expect(clippy::disallowed_methods, reason = "the members of an answer are read out of its text")]

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::format;

use crate::aws::refusal::Failure;

/// The body of an answer.
pub(super) struct Reply(pub(super) Zeroizing<Vec<u8>>);

impl Reply {
    /// The object that it is. Nothing at all stands for one without members.
    pub(super) fn object(&self) -> Object<'_> {
        Object(if self.0.trim_ascii().is_empty() { b"{}" } else { &self.0 })
    }
}

/// An object in an answer.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(pub(super) &'a [u8]);

impl<'a> Object<'a> {
    /// Everything that is not a secret. What `T` does not name is passed over, and not copied.
    ///
    /// # Errors
    ///
    /// When it is no such object.
    pub(super) fn metadata<T: DeserializeOwned>(self) -> Result<T, Failure> {
        serde_json::from_slice(self.0).map_err(|_| Failure::Nonsense)
    }

    /// The text of a member; none where it does not exist or `null`.
    ///
    /// # Errors
    ///
    /// When it is not text.
    pub(super) fn text(self, key: &str) -> Result<Option<SecretValue>, Failure> {
        match self.raw(key)? {
            None => Ok(None),
            Some(raw @ [b'"', ..]) => format::json_member(raw, &[]).map(Some).ok_or(Failure::Nonsense),
            Some(_) => Err(Failure::Nonsense),
        }
    }

    /// The same of bytes, which are written as base64.
    ///
    /// # Errors
    ///
    /// When it is no base64.
    pub(super) fn binary(self, key: &str) -> Result<Option<SecretValue>, Failure> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let text = text.expose();
        let length = BASE64.decode_len(text.len()).map_err(|_| Failure::Nonsense)?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        let length = BASE64.decode_mut(text, &mut bytes).map_err(|_| Failure::Nonsense)?;
        bytes.truncate(length);
        Ok(Some(SecretValue::new(std::mem::take(&mut *bytes))))
    }

    /// The object that a member is.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub(super) fn member(self, key: &str) -> Result<Option<Self>, Failure> {
        match self.raw(key)? {
            None => Ok(None),
            Some(raw @ [b'{', ..]) => Ok(Some(Self(raw))),
            Some(_) => Err(Failure::Nonsense),
        }
    }

    /// The items of a list, each of which may hold a value; none where it does not exist.
    ///
    /// # Errors
    ///
    /// When it is not a list.
    pub(super) fn items(self, key: &str) -> Result<Vec<SecretValue>, Failure> {
        self.raw(key)?.map_or(Ok(Vec::new()), |raw| format::json_items(raw).ok_or(Failure::Nonsense))
    }

    /// A member as it is written.
    fn raw(self, key: &str) -> Result<Option<&'a [u8]>, Failure> {
        let members = format::json_members(self.0).ok_or(Failure::Nonsense)?;
        let found = members.into_iter().find(|(name, _)| name == key).map(|(_, raw)| raw);
        Ok(found.filter(|raw| *raw != b"null"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Object<'_> = Object(
        br#"{"Text": "a\n\"\u00fc\"", "Bytes": "//4=", "Odd": 5, "None": null, "In": {"a": "b"}, "All": [{"a": "c"}]}"#,
    );

    fn plain(value: Result<Option<SecretValue>, Failure>) -> Option<Vec<u8>> {
        value.unwrap().map(|value| value.expose().to_vec())
    }

    #[test]
    fn values_come_byte_for_byte() {
        assert_eq!(plain(TEXT.text("Text")).unwrap(), "a\n\"ü\"".as_bytes());
        assert_eq!(plain(TEXT.binary("Bytes")).unwrap(), [0xff, 0xfe]);
        assert_eq!(plain(TEXT.text("None")), None);
        assert_eq!(plain(TEXT.binary("Gone")), None);
        assert_eq!(plain(TEXT.member("In").unwrap().unwrap().text("a")).unwrap(), b"b");
        let items = TEXT.items("All").unwrap();
        assert_eq!(plain(Object(items[0].expose()).text("a")).unwrap(), b"c");
        assert!(TEXT.items("Gone").unwrap().is_empty());
    }

    #[test]
    fn what_has_another_form_makes_no_sense() {
        for answer in [
            TEXT.text("Odd").err(),
            TEXT.binary("Text").err(),
            TEXT.items("In").err(),
            TEXT.member("All").err(),
            Object(b"<html>").text("Text").err(),
            Object(b"[]").text("Text").err(),
            Object(b"<html>").metadata::<serde_json::Value>().err(),
        ] {
            assert_eq!(answer, Some(Failure::Nonsense));
        }
        assert_eq!(plain(Reply(Zeroizing::default()).object().text("a")), None);
    }
}
