//! A provider, and what was found of it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::provider::Exposure;
use crate::provider::FileForm;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::ProviderError;
use crate::provider::Several;
use crate::provider::url;
use crate::source::Metadata;

/// A credential of this machine: its secrets, and what is known of them.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Whose it is.
    pub provider: &'static Provider,
    /// Its secrets.
    pub parts: Vec<Part>,
    /// Values inside the parts and the settings that are secrets by themselves, as the password in a
    /// netrc or in an address.
    pub inner: Vec<SecretValue>,
    /// Variables that the far side needs beside it, no secrets but for a login in an address.
    pub settings: Vec<(String, String)>,
    /// Files that are not secrets and that the far side needs beside it.
    pub files: Vec<(&'static FileForm, String)>,
    /// How far it may go.
    pub exposure: Exposure,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// What the user should know, as an open file mode.
    pub warnings: Vec<String>,
    /// Why it can't be used away from this machine, if so.
    pub refusal: Option<String>,
    /// The one server that it is for, where its values don't say so: under the usual names it would be
    /// offered to another.
    pub only_for: Option<String>,
    /// Where it was found, for one whose parts are not available.
    pub(super) found_in: String,
}

/// One secret of a credential.
#[derive(Clone)]
pub struct Part {
    /// Which.
    pub key: &'static Key,
    /// Its value; none where a program would have to be run for it, which was not allowed.
    pub value: Option<SecretValue>,
    /// Where it is, as in "variable `HF_TOKEN`".
    pub place: String,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.key.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Credential {
    /// One without parts yet.
    pub(crate) fn new(provider: &'static Provider) -> Self {
        Self {
            provider,
            parts: Vec::new(),
            inner: Vec::new(),
            settings: Vec::new(),
            files: Vec::new(),
            exposure: provider.exposure,
            expires: None,
            warnings: Vec::new(),
            refusal: None,
            only_for: None,
            found_in: String::new(),
        }
    }

    /// One of a single part.
    pub(super) fn of(
        provider: &'static Provider,
        key: &'static Key,
        value: SecretValue,
        place: String,
    ) -> Self {
        Self::new(provider).with(key, value, place)
    }

    /// One that can't leave this machine.
    pub(super) fn refused(provider: &'static Provider, place: String, why: &str) -> Self {
        Self { refusal: Some(why.to_owned()), found_in: place, ..Self::new(provider) }
    }

    /// One whose parts a program would have to be run for.
    pub(super) fn unproven(provider: &'static Provider, keys: &'static [Key], place: &str) -> Self {
        let needed = keys.iter().filter(|key| key.needed);
        let parts = needed.map(|key| Part { key, value: None, place: place.to_owned() }).collect();
        Self { parts, ..Self::new(provider) }
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
    pub fn facts(&self, part: &Part) -> Metadata {
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

impl Local<'_> {
    /// A set of secrets of which all that are needed are in the environment.
    pub(super) fn set(&self, provider: &'static Provider, set: &'static [Key]) -> Option<Credential> {
        let mut credential = Credential::new(provider);
        for key in set {
            match self.first(key.read) {
                Some((value, place)) => credential = credential.with(key, value, place),
                None if key.needed => return None,
                None => {}
            }
        }
        Some(credential)
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

/// A provider: where its credential is on this machine, and what the far side needs.
#[derive(Debug)]
pub struct Provider {
    /// Its name, as in `credentials = ["huggingface"]`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub summary: &'static str,
    /// How far its credential may go, unless the credential itself says otherwise.
    pub exposure: Exposure,
    /// What else to do where it may not go or does not suffice.
    pub alternative: &'static str,
    /// The secrets that make a credential; of several sets the first one that is whole counts.
    pub sets: &'static [&'static [Key]],
    /// Variables that are not secrets and go along when they are set, as `WANDB_BASE_URL`.
    pub companions: &'static [&'static str],
    /// What it has several of on one machine, to name one as in `aws:prod`.
    pub several: Option<Several>,
    /// What the values themselves say, wherever they were found: how far they may go, that they are
    /// of no use elsewhere, what they need beside them. None if they say nothing.
    pub(super) tell: Option<Tell>,
    /// Looks for it, in the vendor's own order.
    pub(super) look: fn(&'static Provider, &Local<'_>) -> Result<Option<Credential>, ProviderError>,
}

/// Completes a credential by what its values tell.
pub(super) type Tell = fn(Credential, &Local<'_>) -> Credential;

impl Provider {
    /// All its secrets.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.sets.iter().flat_map(|set| set.iter())
    }

    /// Looks for its credential on this machine; none if there is none.
    ///
    /// # Errors
    ///
    /// When a file can't be read or understood, or two settings contradict each other.
    pub fn look(&'static self, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
        let found = (self.look)(self, local)?;
        Ok(found.map(|credential| self.complete(credential, local)))
    }

    /// The error if the account that was asked for has no credential; none if no account was asked
    /// for.
    pub(crate) fn lack(&self, local: &Local<'_>) -> Option<ProviderError> {
        self.several.as_ref()?.lack(self.name, local)
    }

    /// Whether only the values decide how far its credential may go.
    pub(crate) fn is_told_by_value(&self) -> bool {
        self.tell.is_some()
    }

    /// A credential with what its values tell, and what goes along with it.
    pub(crate) fn complete(&self, credential: Credential, local: &Local<'_>) -> Credential {
        let mut credential = match self.tell {
            Some(tell) => tell(credential, local),
            None => credential,
        };
        for name in self.companions {
            if let Some(value) = local.text(name)
                && credential.settings.iter().all(|(known, _)| known != name)
            {
                credential.settings.push(((*name).to_owned(), value.to_owned()));
            }
        }
        let addresses = credential.settings.iter().flat_map(|(_, value)| url::secrets(value));
        credential.inner.extend(addresses);
        credential
    }
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
