//! What the client's errors mean. No value can be in these words: a server's answer is quoted only
//! where it is a `Status` of the Kubernetes API, whose text names resources and users.

use std::error::Error;

use serde::Deserialize;

use doppio_secrets::source::SourceError;
use doppio_text::brief;

use crate::http::innermost;

/// Why a request has no answer that helps.
#[derive(Debug)]
pub(super) enum Failure {
    /// There are no credentials.
    Login(SourceError),
    /// Nothing answers.
    Connection(Box<dyn Error + Send + Sync>),
    /// The cluster refused, with this status of HTTP and in these words.
    Status(u16, Status),
    /// Something else refused, with this status of HTTP.
    Http(u16),
    /// Something else answered.
    Nonsense,
}

/// A `Status` of the Kubernetes API.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    kind: String,
}

impl Failure {
    /// The failure that an answer tells.
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Status>(body) {
            Ok(told) if told.kind == "Status" => Self::Status(status, told),
            _ => Self::Http(status),
        }
    }

    /// Whether another writer came in between.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Status(409, _))
    }
}

/// The answer came from something else.
pub(super) fn nonsense() -> SourceError {
    SourceError::unreachable(
        "what answered is not the API of a Kubernetes cluster",
        "check `server` of the cluster in the kubeconfig",
    )
}

/// What a failure means, when `resource` was asked for.
pub(super) fn of(failure: Failure, resource: &str) -> SourceError {
    match failure {
        Failure::Login(error) => error,
        Failure::Status(code, status) => of_status(code, &status, resource),
        Failure::Http(401) => not_accepted(),
        Failure::Http(code) => SourceError::unreachable(
            format!("what answered is not the API of a Kubernetes cluster (status {code})"),
            "check `server` of the cluster in the kubeconfig, and the proxy before it",
        ),
        Failure::Nonsense => nonsense(),
        Failure::Connection(error) => SourceError::unreachable(
            format!("the cluster can't be reached: {}", innermost(error.as_ref())),
            "run `kubectl cluster-info`, and check `server` and the certificate authority in the kubeconfig",
        ),
    }
}

fn of_status(code: u16, status: &Status, resource: &str) -> SourceError {
    let words = || brief(if status.message.is_empty() { &status.reason } else { &status.message }, 600);
    match code {
        401 => not_accepted(),
        403 => SourceError::not_allowed(
            words(),
            "ask for a Role with this verb on this resource; `kubectl auth can-i --list` shows what you have",
        ),
        404 => match &status.details {
            Some(details) if details.kind == resource => SourceError::Missing,
            _ => SourceError::unfit(words()),
        },
        400 | 409 | 413 | 422 => SourceError::unfit(words()),
        code => SourceError::unreachable(
            format!("the cluster answered {code}: {}", words()),
            "try again, or raise `timeout_secs` in `[sources.kubernetes]`",
        ),
    }
}

fn not_accepted() -> SourceError {
    SourceError::not_allowed(
        "the cluster does not accept these credentials (401 Unauthorized)",
        "log in again, or look at `kubectl config view --minify`; see `kubectl auth whoami`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_of_the_cluster_is_quoted() {
        let told = |code: u16, kind: &str| {
            let body = serde_json::json!({
                "kind": kind, "message": "no\nway", "reason": "NotFound", "details": { "kind": "secrets" },
            });
            of(Failure::of_answer(code, body.to_string().as_bytes()), "secrets")
        };
        assert_eq!(told(404, "Status"), SourceError::Missing);
        assert_eq!(told(403, "Status").to_string(), "no way");
        assert!(told(404, "Page").to_string().ends_with("(status 404)"));
        assert!(told(401, "Page").to_string().contains("does not accept"));
        assert!(Failure::of_answer(409, br#"{"kind": "Status"}"#).is_conflict());
        assert!(!Failure::of_answer(409, b"hunter2").is_conflict());
    }
}
