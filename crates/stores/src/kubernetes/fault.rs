//! What the client's errors mean. No value can be in these words: a server's answer is quoted only
//! where it is a `Status` of the Kubernetes API, whose text names resources and users.

use std::error::Error;

use kube::config::KubeconfigError;

use doppio_secrets::source::SourceError;

/// What `Client` says in place of a reason when an answer was no `Status`.
const NO_STATUS: &str = "Failed to parse error data";

/// Whether another writer came in between.
pub(super) fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// The answer came from something else.
pub(super) fn nonsense() -> SourceError {
    SourceError::unreachable(
        "what answered is not the API of a Kubernetes cluster",
        "check `server` of the cluster in the kubeconfig",
    )
}

/// What an error means, when `resource` was asked for.
pub(super) fn of(error: kube::Error, resource: &str) -> SourceError {
    match error {
        kube::Error::Api(status) => of_status(&status, resource),
        kube::Error::Auth(error) => of_login(&error),
        kube::Error::InferKubeconfig(error) => of_kubeconfig(&error, "the kubeconfig"),
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            SourceError::unreachable(
                "the proxy of the kubeconfig or of `HTTPS_PROXY` has a protocol that Doppio does not speak",
                "name an `http://` proxy",
            )
        }
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => nonsense(),
        kube::Error::Service(error) => match error.downcast::<kube::client::AuthError>() {
            Ok(error) => of_login(&error),
            Err(error) => of_connection(error.as_ref()),
        },
        other => of_connection(&other),
    }
}

fn of_status(status: &kube::core::Status, resource: &str) -> SourceError {
    let is_api = status.reason != NO_STATUS;
    let words = || {
        let words: String =
            status.message.chars().filter(|character| !character.is_control()).take(600).collect();
        if words.is_empty() { status.reason.clone() } else { words }
    };
    match status.code {
        401 => SourceError::not_allowed(
            "the cluster does not accept these credentials (401 Unauthorized)",
            "log in again, or look at `kubectl config view --minify`; see `kubectl auth whoami`",
        ),
        403 if is_api => SourceError::not_allowed(
            words(),
            "ask for a Role with this verb on this resource; `kubectl auth can-i --list` shows what you have",
        ),
        404 if is_api => {
            let kind = status.details.as_ref().map_or("", |details| details.kind.as_str());
            if kind == resource { SourceError::Missing } else { SourceError::unfit(words()) }
        }
        400 | 409 | 413 | 422 if is_api => SourceError::unfit(words()),
        code if is_api => SourceError::unreachable(
            format!("the cluster answered {code}: {}", words()),
            "try again, or raise `timeout_secs` in `[sources.kubernetes]`",
        ),
        code => SourceError::unreachable(
            format!("what answered is not the API of a Kubernetes cluster (status {code})"),
            "check `server` of the cluster in the kubeconfig, and the proxy before it",
        ),
    }
}

/// What a login program printed may be a token, so it is not shown.
fn of_login(error: &kube::client::AuthError) -> SourceError {
    use kube::client::AuthError;
    let cause = match error {
        AuthError::AuthExecRun { out, .. } => {
            format!("the login program of the kubeconfig ended with {}", out.status)
        }
        AuthError::AuthExecStart(error) => {
            format!("the login program of the kubeconfig can't be started: {error}")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "the login program of the kubeconfig gave no credentials".to_owned()
        }
        AuthError::ReadTokenFile(error, path) => {
            format!("cannot read the token file `{}`: {error}", path.display())
        }
        AuthError::MissingCommand => "`exec` in the kubeconfig has no `command`".to_owned(),
        _ => "the credentials of the kubeconfig can't be used".to_owned(),
    };
    SourceError::unreachable(cause, "run `kubectl get --raw /version` to see what it says")
}

/// What is wrong with a kubeconfig. The parser's own words quote the file, which holds tokens.
pub(super) fn of_kubeconfig(error: &KubeconfigError, file: &str) -> SourceError {
    let cause = match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("{file} is not a kubeconfig: line {}, column {}", at.line(), at.column()),
            None => format!("{file} is not a kubeconfig"),
        },
        KubeconfigError::CurrentContextNotSet => format!("{file} names no current context"),
        KubeconfigError::LoadContext(name) => format!("{file} has no context `{name}`"),
        KubeconfigError::LoadClusterOfContext(name) => format!("{file} has no cluster `{name}`"),
        KubeconfigError::MissingClusterUrl => format!("the cluster in {file} has no `server`"),
        KubeconfigError::ReadConfig(error, _) => format!("cannot read {file}: {error}"),
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            format!("the certificate authority in {file} can't be read")
        }
        KubeconfigError::LoadClientCertificate(_) | KubeconfigError::LoadClientKey(_) => {
            format!("the client certificate or its key in {file} can't be read")
        }
        KubeconfigError::ParseProxyUrl(_) => {
            "the proxy of the kubeconfig or of `HTTPS_PROXY` is not a URL".to_owned()
        }
        _ => format!("{file} can't be used"),
    };
    SourceError::unreachable(
        cause,
        "see `kubectl config get-contexts`; `[sources.kubernetes]` takes `kubeconfig` and `context`",
    )
}

/// The innermost cause says most: "connection refused", "invalid peer certificate".
fn of_connection(error: &(dyn Error + 'static)) -> SourceError {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    SourceError::unreachable(
        format!("the cluster can't be reached: {innermost}"),
        "run `kubectl cluster-info`, and check `server` and the certificate authority in the kubeconfig",
    )
}
