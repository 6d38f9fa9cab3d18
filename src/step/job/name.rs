//! The name of a job: that of its folder on the host.

use std::fmt;
use std::fmt::Write;

use data_encoding::HEXLOWER;
use sha2::Digest;
use sha2::Sha256;

use crate::step::StepContext;
use crate::step::StepError;

/// The most of a text that becomes part of a file's name.
const PART: usize = 60;

/// `RUN-STEP-ATTEMPT-NONCE`, one plain segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::step) struct JobName(String);

impl JobName {
    /// A new one, for this attempt.
    pub(in crate::step) fn new(cx: &StepContext) -> Result<Self, StepError> {
        let nonce = getrandom::u32()
            .map_err(|error| StepError::failed(format!("the system gives no random numbers: {error}")))?;
        let (run, step) = (&cx.values.run, slug(cx.step.as_str()));
        Ok(Self(format!("{run}-{step}-{}-{nonce:08x}", cx.attempt)))
    }

    /// One that a host has told.
    pub(in crate::step) fn told(name: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',');
        (!name.is_empty() && name.bytes().all(is_plain)).then(|| Self(name.to_owned()))
    }

    /// As text.
    pub(in crate::step) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text as part of a file's name: other bytes than letters, digits, `-` and `_` as `,HEX`. What
/// is too long ends in a number that tells it from others.
pub(in crate::step) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            slug.push(char::from(byte));
        } else {
            write!(slug, ",{byte:02x}").expect("writing to a string does not fail");
        }
    }
    if slug.len() > PART {
        slug.truncate(PART);
        write!(slug, ",,{}", digest(text)).expect("writing to a string does not fail");
    }
    slug
}

/// A text in short: another one has another.
pub(in crate::step) fn digest(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_one_plain_segment() {
        assert_eq!(slug("a/../b c"), "a,2f,2e,2e,2fb,20c");
        let long = slug(&"x/".repeat(300));
        assert!(long.len() < 100 && !long.contains('/'), "{long}");
        assert_ne!(long, slug(&"x/".repeat(301)));
    }

    #[test]
    fn what_a_host_tells_can_lead_nowhere_else() {
        assert!(JobName::told("20261129-1-a,2fb-1-00ff").is_some());
        for name in ["", "..", "a/b", "a\nb", "$(id)"] {
            assert_eq!(JobName::told(name), None, "{name:?}");
        }
    }
}
