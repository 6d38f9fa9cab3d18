//! The login programs of kubeconfigs:
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;
use doppio_secrets::source::SourceError;

use super::kubeconfig::Cluster;
use super::kubeconfig::Exec;
use super::kubeconfig::Hidden;

/// No answer with credentials is longer; and no call, which has a deadline of its own, lasts longer.
const LIMITS: Limits = Limits { longest: 1 << 20, deadline: Duration::from_mins(10) };

/// What the program gave.
#[derive(Debug)]
pub(super) struct Grant {
    pub token: Option<Hidden>,
    /// A certificate and its key, as PEM.
    pub identity: Option<Zeroizing<Vec<u8>>>,
    pub until: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct Credential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<jiff::Timestamp>,
    token: Option<Hidden>,
    client_certificate_data: Option<Hidden>,
    client_key_data: Option<Hidden>,
}

/// Runs the program. It does not get the terminal: its questions would come between our lines.
pub(super) async fn ask(exec: &Exec, cluster: &Cluster) -> Result<Grant, SourceError> {
    let Some(program) = exec.command.as_deref().filter(|program| !program.is_empty()) else {
        return Err(no_credentials("`exec` in the kubeconfig has no `command`"));
    };
    let mut spec = json!({ "interactive": false });
    if exec.provide_cluster_info {
        spec["cluster"] = cluster.for_programs()?;
    }
    let info = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
    let mut program = Program::new(program).args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        program = program.env(&variable.name, variable.value.as_str());
    }
    let program = program.env("KUBERNETES_EXEC_INFO", info.to_string());
    let heard = program.hear(None, LIMITS).await.map_err(|error| match error {
        Broken::NotStarted(error) => {
            no_credentials(format!("the login program of the kubeconfig can't be started: {error}"))
        }
        error => no_credentials(format!("the login program of the kubeconfig can't be heard: {error}")),
    })?;
    if !heard.status.success() {
        return Err(no_credentials(format!(
            "the login program of the kubeconfig ended with {}",
            heard.status
        )));
    }
    granted(&heard.stdout)
        .ok_or_else(|| no_credentials("the login program of the kubeconfig gave no credentials"))
}

/// What its output, JSON or YAML, grants.
fn granted(output: &[u8]) -> Option<Grant> {
    let credential: Credential = serde_saphyr::from_slice(output).ok()?;
    let status = credential.status?;
    let identity = match (status.client_key_data, status.client_certificate_data) {
        (Some(key), Some(certificate)) => {
            let pem = [key.as_str(), "\n", certificate.as_str()].concat();
            Some(Zeroizing::new(pem.into_bytes()))
        }
        (None, None) => None,
        _ => return None,
    };
    let token = status.token.filter(|token| !token.as_str().is_empty());
    (token.is_some() || identity.is_some()).then_some(Grant {
        token,
        identity,
        until: status.expiration_timestamp,
    })
}

/// What it printed may be a token, so it is not shown.
fn no_credentials(cause: impl Into<String>) -> SourceError {
    SourceError::unreachable(cause, "run `kubectl get --raw /version` to see what it says")
}

#[cfg(test)]
mod tests {
    use super::super::kubeconfig::Variable;
    use super::*;

    #[test]
    fn a_token_a_certificate_or_both_are_credentials() {
        let all = granted(
            br#"{"status": {"token": "t", "clientKeyData": "k", "clientCertificateData": "c",
                "expirationTimestamp": "2099-01-01T00:00:00Z"}}"#,
        )
        .unwrap();
        assert_eq!(all.token.unwrap().as_str(), "t");
        assert_eq!(**all.identity.unwrap(), *b"k\nc");
        assert!(all.until.is_some());
        assert!(granted(b"status:\n  token: t\n").is_some(), "YAML is taken too");
        for none in ["{}", "{\"status\": {}}", "{\"status\": {\"clientKeyData\": \"k\"}}", "hunter2", ""] {
            assert!(granted(none.as_bytes()).is_none(), "{none}");
        }
    }

    #[tokio::test]
    async fn it_is_told_what_the_kubeconfig_says() {
        let script = r#"printf '{"status": {"token": "%s %s"}}' "$T" "$(printf %s "$KUBERNETES_EXEC_INFO" | tr -d '"')""#;
        let exec = Exec {
            api_version: Some("client.authentication.k8s.io/v1".to_owned()),
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            env: Some(vec![Variable { name: "T".to_owned(), value: "of env".to_owned().into() }]),
            provide_cluster_info: true,
        };
        let cluster = Cluster { server: Some("https://one".to_owned()), ..Cluster::default() };
        let token = ask(&exec, &cluster).await.unwrap().token.unwrap();
        let told = "of env {apiVersion:client.authentication.k8s.io/v1,kind:ExecCredential,\
                    spec:{interactive:false,cluster:{server:https://one}}}";
        assert_eq!(token.as_str(), told);
        let none = ask(&Exec::default(), &cluster).await.unwrap_err();
        assert!(none.to_string().contains("has no `command`"));
    }
}
