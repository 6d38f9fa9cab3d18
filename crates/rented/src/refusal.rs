//! What an answer without success says.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use doppio_secrets::Mask;
use doppio_text::brief;

use crate::error::RentedError;
use crate::fields::Fields;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;

/// The most characters of a vendor's words.
const LONGEST: usize = 300;

/// An answer that says no.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// HTTP's status; 200 too, where the body says `success: false`.
    pub status: u16,
    /// The vendor's word for it, as `no_such_ask`; empty if there is none.
    pub code: String,
    /// What it says to people.
    pub words: String,
    /// All that it said, without keys.
    pub body: Value,
}

/// Why there is no answer that helps.
#[derive(Debug, Clone)]
pub(crate) enum CallError {
    /// The vendor says no.
    Refused(Box<Refusal>),
    /// Nothing was done.
    Undone(RentedError),
    /// It may have been done all the same.
    Unclear(RentedError),
}

impl CallError {
    /// What it means where the vendor has no words of its own for it; `about` is the machine that the request
    /// was about.
    pub(crate) fn error(self, vendor: VendorName, what: &str, about: Option<&MachineId>) -> RentedError {
        let refusal = match self {
            Self::Undone(error) | Self::Unclear(error) => return error,
            Self::Refused(refusal) => refusal,
        };
        match (about, refusal.status) {
            (Some(id), 404 | 410) => RentedError::NoMachine(id.clone()),
            (Some(id), 409) => RentedError::WrongState { id: id.clone(), words: refusal.words },
            _ => refusal.error(vendor, what),
        }
    }
}

impl Refusal {
    /// Reads one. The members that vendors use for words are many.
    pub(crate) fn of(status: u16, body: Value, plain: &str, mask: &Mask) -> Self {
        let fields = Fields(&body);
        let inner = fields.member("error");
        let error = fields.text("error");
        let is_code = |text: &String| !text.contains(' ');
        let code = inner.text("code").or_else(|| error.clone().filter(is_code)).unwrap_or_default();
        let said = ["msg", "message", "detail"].into_iter().find_map(|name| fields.text(name));
        let said = said.or_else(|| inner.text("message")).or(error).or_else(|| fields.text("title"));
        let words = said.unwrap_or_else(|| plain.to_owned());
        let words = if words.is_empty() { "it does not say why".to_owned() } else { words };
        Self { status, code, words: brief(mask.text(&words).as_str(), LONGEST), body }
    }

    /// Whether its words contain this, in any case.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.words.to_ascii_lowercase().contains(words)
    }

    /// What it means wherever it comes from; `what` is what was asked for.
    pub(crate) fn error(self, vendor: VendorName, what: &str) -> RentedError {
        let (what, words) = (what.to_owned(), self.words.clone());
        match self.status {
            401 => RentedError::BadKey { vendor, words },
            402 => RentedError::NoCredit { vendor, words },
            403 => RentedError::NotAllowed { vendor, what, words },
            status => RentedError::Refused { vendor, what, status, words },
        }
    }
}

/// How long a 429 asks to wait: `Retry-After` in seconds, or the interval that its text names, as in
/// `endpoint threshold=4.5`.
pub(crate) fn wait(headers: &HeaderMap, body: &str) -> Option<Duration> {
    let told = headers.get("retry-after").and_then(|wait| wait.to_str().ok()?.trim().parse::<f64>().ok());
    let named = body.split_once("threshold=").and_then(|(_, rest)| {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        rest[..end].trim_end_matches('.').parse::<f64>().ok()
    });
    let seconds = told.into_iter().chain(named).reduce(f64::max)?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_busy_server_is_waited_for_as_it_asks() {
        let none = HeaderMap::new();
        let body = "API requests too frequent: endpoint threshold=4.5.";
        assert_eq!(wait(&none, body), Some(Duration::from_millis(4500)));
        assert_eq!(wait(&none, "too many"), None);
        let told: HeaderMap =
            [("retry-after".parse().unwrap(), HeaderValue::from_static("7"))].into_iter().collect();
        assert_eq!(wait(&told, body), Some(Duration::from_secs(7)));
        assert_eq!(wait(&told, "threshold=1e9 threshold="), Some(Duration::from_secs(7)));
    }

    #[test]
    fn words_are_found_wherever_a_vendor_puts_them() {
        let of = |body| Refusal::of(400, body, "", &Mask::default());
        let vast =
            of(json!({ "success": false, "error": "no_such_ask", "msg": "Instance type\nnot available." }));
        assert_eq!(
            (vast.code.as_str(), vast.words.as_str()),
            ("no_such_ask", "Instance type not available.")
        );
        let lambda = of(json!({ "error": { "code": "global/invalid", "message": "bad" } }));
        assert_eq!((lambda.code.as_str(), lambda.words.as_str()), ("global/invalid", "bad"));
        let runpod = of(json!({ "title": "Conflict", "detail": "pod is running" }));
        assert_eq!((runpod.code.as_str(), runpod.words.as_str()), ("", "pod is running"));
        assert_eq!(of(json!({})).words, "it does not say why");
    }
}
