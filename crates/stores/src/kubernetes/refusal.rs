//! What the client's errors mean. No value can be in these words: a server's answer is quoted only
//! where it is a `Status` of the Kubernetes API, whose text names resources and users.

use serde::Deserialize;

use doppio_secrets::source::SourceError;
use doppio_text::brief;

use crate::http;
use crate::http::Server;

/// Why a request has no answer that helps.
pub(super) type Failure = http::Failure<Refusal>;

pub(super) static SERVER: Server = Server {
    name: "the cluster",
    is: "the API of a Kubernetes cluster",
    settings: "sources.kubernetes",
    to_check: "check `server` of the cluster in the kubeconfig",
    to_reach: "run `kubectl cluster-info`, and check `server` and the certificate authority in the kubeconfig",
};

/// A `Status` of the Kubernetes API.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    #[serde(rename = "kind")]
    _kind: Kind,
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Debug, Deserialize)]
enum Kind {
    Status,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    kind: String,
}

/// Whether another writer came in between.
pub(super) fn is_conflict(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(409, _))
}

/// What a failure means, when `resource` was asked for.
pub(super) fn told(failure: Failure, resource: &str) -> SourceError {
    if matches!(failure, Failure::Status(401)) {
        return not_accepted();
    }
    failure.tell(&SERVER, |code, refusal| {
        let words = if refusal.message.is_empty() { refusal.reason } else { refusal.message };
        let words = brief(&words, 600);
        match code {
            401 => not_accepted(),
            403 => SourceError::not_allowed(
                words,
                "ask for a Role with this verb on this resource; `kubectl auth can-i --list` shows what you have",
            ),
            404 if refusal.details.is_some_and(|details| details.kind == resource) => SourceError::Missing,
            400 | 404 | 409 | 413 | 422 => SourceError::unfit(words),
            code => SERVER.failed(code, &words),
        }
    })
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
        let of = |code: u16, kind: &str| {
            let body = serde_json::json!({
                "kind": kind, "message": "no\nway", "reason": "NotFound", "details": { "kind": "secrets" },
            });
            told(Failure::of_answer(code, body.to_string().as_bytes()), "secrets")
        };
        assert_eq!(of(404, "Status"), SourceError::Missing);
        assert_eq!(of(403, "Status").to_string(), "no way");
        assert!(of(404, "Page").to_string().ends_with("(status 404)"));
        assert!(of(401, "Page").to_string().contains("does not accept"));
        assert!(is_conflict(&Failure::of_answer(409, br#"{"kind": "Status"}"#)));
        assert!(!is_conflict(&Failure::of_answer(409, b"hunter2")));
    }
}
