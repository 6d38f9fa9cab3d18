//! How a credential is put together from what was found.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::source::Metadata;
use crate::vendor::exposure::Exposure;
use crate::vendor::key::Key;
use crate::vendor::local::File;
use crate::vendor::local::Local;
use crate::vendor::row::Credential;
use crate::vendor::row::Part;
use crate::vendor::row::Vendor;

impl Credential {
    /// One without parts yet.
    pub(crate) fn new(vendor: &'static Vendor) -> Self {
        Self {
            provider: vendor,
            parts: Vec::new(),
            inner: Vec::new(),
            settings: Vec::new(),
            files: Vec::new(),
            exposure: vendor.exposure,
            expires: None,
            warnings: Vec::new(),
            refusal: None,
            only_for: None,
            found_in: String::new(),
        }
    }

    /// One of a single part.
    pub(super) fn of(vendor: &'static Vendor, key: &'static Key, value: SecretValue, place: String) -> Self {
        Self::new(vendor).with(key, value, place)
    }

    /// One of the first set, with its values in order, all from one place; none where one is missing
    /// that is needed.
    pub(super) fn of_values<const N: usize>(
        vendor: &'static Vendor,
        values: [Option<SecretValue>; N],
        place: &str,
    ) -> Option<Self> {
        let mut values = values.into_iter();
        Self::whole(vendor, vendor.sets[0], |_| Some((values.next()??, place.to_owned())))
    }

    /// One of a set, with the value and the provenance of each secret; none where one is missing that is
    /// needed.
    fn whole(
        vendor: &'static Vendor,
        set: &'static [Key],
        mut find: impl FnMut(&Key) -> Option<(SecretValue, String)>,
    ) -> Option<Self> {
        let mut found = Self::new(vendor);
        for key in set {
            match find(key) {
                Some((value, place)) => found = found.with(key, value, place),
                None if key.needed => return None,
                None => {}
            }
        }
        Some(found)
    }

    /// One that can't leave this machine.
    pub(super) fn refused(vendor: &'static Vendor, place: String, why: &str) -> Self {
        Self { refusal: Some(why.to_owned()), found_in: place, ..Self::new(vendor) }
    }

    /// One whose parts a program would have to be run for.
    pub(super) fn unproven(vendor: &'static Vendor, keys: &'static [Key], place: &str) -> Self {
        let needed = keys.iter().filter(|key| key.needed);
        let parts = needed.map(|key| Part { key, value: None, place: place.to_owned() }).collect();
        Self { parts, ..Self::new(vendor) }
    }

    /// The same with one more part. A token that says when it ends sets the credential's end.
    #[must_use]
    pub(super) fn with(mut self, key: &'static Key, value: SecretValue, place: String) -> Self {
        self.expires = self.expires.or_else(|| jwt_expiry(&value));
        self.parts.push(Part { key, value: Some(value), place });
        self
    }

    /// The same, good for as much.
    #[must_use]
    pub(super) fn exposed(self, exposure: Exposure) -> Self {
        Self { exposure, ..self }
    }

    /// The same, unusable away from this machine.
    #[must_use]
    pub(super) fn staying(self, why: &str) -> Self {
        Self { refusal: Some(why.to_owned()), ..self }
    }

    /// The values of its parts, as far as they are known.
    pub(super) fn values(&self) -> impl Iterator<Item = &SecretValue> {
        self.parts.iter().filter_map(|part| part.value.as_ref())
    }

    /// The same with an end, if one is known.
    #[must_use]
    pub(super) fn ending(mut self, at: Option<Timestamp>) -> Self {
        self.expires = at.or(self.expires);
        self
    }

    /// The same with warnings.
    #[must_use]
    pub(super) fn warning(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Where it is.
    pub fn place(&self) -> String {
        self.parts.first().map_or_else(|| self.found_in.clone(), |part| part.place.clone())
    }

    /// Whether all of it is in the environment.
    pub(crate) fn is_of_environment(&self) -> bool {
        self.parts.iter().all(|part| part.place.starts_with("variable `"))
    }

    /// What may be shown of a part.
    pub fn metadata(&self, part: &Part) -> Metadata {
        Metadata {
            place: part.place.clone(),
            expires: self.expires,
            exposure: Some(self.exposure.to_string()),
            unproven: part.value.is_none(),
            warnings: self.warnings.clone(),
            ..Metadata::default()
        }
    }
}

impl Vendor {
    /// A credential of its first secret alone.
    pub(super) fn found(&'static self, value: SecretValue, place: String) -> Credential {
        Credential::of(self, &self.sets[0][0], value, place)
    }
}

impl File {
    /// The same for a value of this file.
    pub(super) fn found(&self, vendor: &'static Vendor, value: SecretValue, place: String) -> Credential {
        vendor.found(value, place).warning(self.warning.clone())
    }
}

impl Local<'_> {
    /// A set of secrets of which all that are needed are in the environment.
    pub(super) fn set(&self, vendor: &'static Vendor, set: &'static [Key]) -> Option<Credential> {
        Credential::whole(vendor, set, |key| self.first(key.read))
    }
}

/// When a JSON Web Token ends (RFC 7519, section 4.1.4); none for anything else.
pub(super) fn jwt_expiry(value: &SecretValue) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Claims {
        exp: f64,
    }
    let text = value.plain();
    if !text.starts_with(b"eyJ") {
        return None;
    }
    let mut parts = text.split(|&byte| byte == b'.');
    let payload = parts.nth(1)?;
    parts.next()?;
    let claims = Zeroizing::new(BASE64URL_NOPAD.decode(payload.trim_ascii_end()).ok()?);
    seconds(serde_json::from_slice::<Claims>(&claims).ok()?.exp)
}

/// A time in seconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "the part below a second is to go")]
pub(super) fn seconds(since_1970: f64) -> Option<Timestamp> {
    Timestamp::from_second(since_1970 as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_with_an_end_has_one() {
        let token = |claims: &str| {
            let middle = BASE64URL_NOPAD.encode(claims.as_bytes());
            SecretValue::new(format!("eyJhbGciOiJIUzI1NiJ9.{middle}.c2lnbmF0dXJl").into_bytes())
        };
        assert_eq!(jwt_expiry(&token(r#"{"sub":"a","exp":1800000000}"#)).unwrap().as_second(), 1_800_000_000);
        assert_eq!(jwt_expiry(&token(r#"{"exp":1800000000.5}"#)).unwrap().as_second(), 1_800_000_000);
        assert!(jwt_expiry(&token(r#"{"sub":"a"}"#)).is_none());
        assert!(jwt_expiry(&SecretValue::new(b"eyJ.x.y".to_vec())).is_none());
        assert!(jwt_expiry(&SecretValue::new(b"hf_abc".to_vec())).is_none());
    }
}
