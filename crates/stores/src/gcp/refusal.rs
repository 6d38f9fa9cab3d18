//! What goes wrong with a request, and what that means. The service's own words are told only where
//! they are a status of Google's APIs, which names resources and rights; other texts may quote
//! anything.

use google_cloud_auth::errors::CredentialsError;
use serde::Deserialize;

use doppio_secrets::source::SourceError;
use doppio_text::brief;

use crate::http;
use crate::http::Server;

/// Why a request has no answer that helps.
pub(super) type Failure = http::Failure<Refusal>;

static SERVER: Server = Server {
    name: "Secret Manager",
    is: "Secret Manager",
    settings: "sources.gcp",
    to_check: "check `endpoint` in `[sources.gcp]`",
    to_reach: "check the network, `HTTPS_PROXY` and `endpoint` in `[sources.gcp]`",
};

/// How Google's APIs refuse: <https://cloud.google.com/apis/design/errors>.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    error: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(rename = "status")]
    code: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(default)]
    reason: String,
}

impl Status {
    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or("UNKNOWN")
    }
}

/// Errors of OAuth 2.0 (RFC 6749, section 5.2) and Google's own.
const OAUTH: [&str; 7] = [
    "invalid_grant",
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "invalid_rapt",
    "access_denied",
];

/// Whether there is one of this name already.
pub(super) fn is_conflict(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(_, Refusal { error }) if error.code() == "ALREADY_EXISTS")
}

/// Whether the service knows who asks, and this one right is not given. What it says of an API that
/// is off, or of a project without an account to pay, has the same code.
pub(super) fn is_denied(failure: &Failure) -> bool {
    let Failure::Refused(_, Refusal { error }) = failure else { return false };
    let is_of_right = |detail: &Detail| {
        !detail.kind.ends_with("/google.rpc.ErrorInfo") || detail.reason == "IAM_PERMISSION_DENIED"
    };
    error.code() == "PERMISSION_DENIED" && error.details.iter().all(is_of_right)
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        failure.tell(&SERVER, |_, Refusal { error }| {
            let words = brief(&error.message, 600);
            match error.code() {
                "NOT_FOUND" => SourceError::Missing,
                "PERMISSION_DENIED" => SourceError::not_allowed(
                    words,
                    "ask for the role `roles/secretmanager.secretAccessor` on the secret, or enable the API",
                ),
                "UNAUTHENTICATED" => SourceError::not_allowed(
                    "Google does not accept this login",
                    "run `gcloud auth application-default login`",
                ),
                "INVALID_ARGUMENT"
                | "FAILED_PRECONDITION"
                | "ALREADY_EXISTS"
                | "OUT_OF_RANGE"
                | "ABORTED" => SourceError::unfit(words),
                code => SERVER.failed(code, &words),
            }
        })
    }
}

/// Why there is no token. The words of who gives them may hold one; only known errors are told.
pub(super) fn of_login(error: &CredentialsError) -> SourceError {
    let words = doppio_http::causes(error);
    match OAUTH.iter().find(|known| words.contains(**known)) {
        Some(known) => SourceError::not_allowed(
            format!("Google does not accept this login ({known})"),
            "run `gcloud auth application-default login`",
        ),
        None => SourceError::unreachable(
            "there is no login for Google: the file gives no token, or no metadata server answers",
            "run `gcloud auth application-default login`, or set `GOOGLE_APPLICATION_CREDENTIALS` to a key's file",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: &str, reason: &str) -> Failure {
        let body = serde_json::json!({ "error": {
            "code": 403, "status": status, "message": "no\nway",
            "details": [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }],
        }});
        Failure::of_answer(403, body.to_string().as_bytes())
    }

    #[test]
    fn a_right_that_is_not_given_is_told_from_an_api_that_is_off() {
        assert!(is_denied(&refused("PERMISSION_DENIED", "IAM_PERMISSION_DENIED")));
        assert!(!is_denied(&refused("PERMISSION_DENIED", "SERVICE_DISABLED")));
        assert!(!is_denied(&refused("UNAUTHENTICATED", "IAM_PERMISSION_DENIED")));
        let bare = Failure::of_answer(403, br#"{"error": {"status": "PERMISSION_DENIED"}}"#);
        assert!(is_denied(&bare));
        assert!(SourceError::from(refused("ALREADY_EXISTS", "")).to_string().contains("no way"));
    }

    #[test]
    fn an_answer_of_something_else_is_not_quoted() {
        for body in ["<html>hunter2", r#"{"error": "hunter2"}"#, "{}", ""] {
            let error = SourceError::from(Failure::of_answer(502, body.as_bytes())).to_string();
            assert_eq!(error, "what answered is not Secret Manager (status 502)");
        }
    }
}
