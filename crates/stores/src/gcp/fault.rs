//! What the client's errors mean. The service's own words are told only where they are a status of
//! Google's APIs, which names resources and rights; other texts may quote anything.

use std::error::Error as _;

use google_cloud_gax::error::rpc::StatusDetails;
use google_cloud_secretmanager_v1::Error;

use doppio_secrets::source::SourceError;

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
pub(super) fn is_conflict(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code.name() == "ALREADY_EXISTS")
}

/// Whether the service knows who asks, and this one right is not given. What it says of an API that
/// is off, or of a project without an account to pay, has the same code.
pub(super) fn is_denied(error: &Error) -> bool {
    let is_of_right = |detail: &StatusDetails| match detail {
        StatusDetails::ErrorInfo(info) => info.reason == "IAM_PERMISSION_DENIED",
        _ => true,
    };
    error.status().is_some_and(|status| {
        status.code.name() == "PERMISSION_DENIED" && status.details.iter().all(is_of_right)
    })
}

/// The answer came from something else.
pub(super) fn nonsense() -> SourceError {
    SourceError::unreachable("what answered is not Secret Manager", "check `endpoint` in `[sources.gcp]`")
}

/// What an error means.
pub(super) fn of(error: &Error) -> SourceError {
    if error.is_authentication() {
        return of_login(error);
    }
    if let Some(status) = error.status() {
        let words: String =
            status.message.chars().filter(|character| !character.is_control()).take(600).collect();
        return of_status(status.code.name(), words);
    }
    if let Some(code) = error.http_status_code() {
        return SourceError::unreachable(
            format!("what answered is not Secret Manager (status {code})"),
            "check `endpoint` in `[sources.gcp]`, and the proxy before it",
        );
    }
    if error.is_deserialization() || error.is_serialization() {
        return nonsense();
    }
    if error.is_binding() {
        return SourceError::unfit("this is not a name of Secret Manager");
    }
    SourceError::unreachable(
        format!("Secret Manager can't be reached: {}", innermost(error)),
        "check the network, `HTTPS_PROXY` and `endpoint` in `[sources.gcp]`",
    )
}

fn of_status(code: &str, words: String) -> SourceError {
    match code {
        "NOT_FOUND" => SourceError::Missing,
        "PERMISSION_DENIED" => SourceError::not_allowed(
            words,
            "ask for the role `roles/secretmanager.secretAccessor` on the secret, or enable the API",
        ),
        "UNAUTHENTICATED" => SourceError::not_allowed(
            "Google does not accept this login",
            "run `gcloud auth application-default login`",
        ),
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "ALREADY_EXISTS" | "OUT_OF_RANGE" | "ABORTED" => {
            SourceError::unfit(words)
        }
        code => SourceError::unreachable(
            format!("Secret Manager answered {code}: {words}"),
            "try again, or raise `timeout_secs` in `[sources.gcp]`",
        ),
    }
}

/// The words of who gives tokens may hold one; only known errors are told.
fn of_login(error: &Error) -> SourceError {
    let mut words = String::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(error) = next {
        words.push_str(&error.to_string());
        words.push(' ');
        next = error.source();
    }
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

fn innermost(error: &Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
