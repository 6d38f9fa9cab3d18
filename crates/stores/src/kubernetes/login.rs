//! Which cluster, and as whom: a kubeconfig, or the service account of the pod that this runs in.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use super::api::Api;
use super::client::Client;
use super::kubeconfig;
use super::kubeconfig::Chosen;
use super::kubeconfig::Cluster;
use super::kubeconfig::Kubeconfig;
use super::kubeconfig::User;

/// Set in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";
const IN_CLUSTER_PORT: &str = "KUBERNETES_SERVICE_PORT";

/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Connects nothing yet; the kubeconfig's login program may run.
pub(super) async fn api(setup: &Setup) -> Result<Api, SourceError> {
    let files = files(setup);
    let chosen = if files.is_empty() { in_cluster(setup)? } else { from_files(&files, setup)? };
    let namespace = setup.options.text("namespace").map(str::to_owned);
    let namespace = namespace.or_else(|| chosen.namespace.clone()).unwrap_or_else(|| "default".to_owned());
    Ok(Api::new(Client::open(chosen, setup).await?, namespace))
}

/// The kubeconfigs that are there: those of the settings or of `KUBECONFIG`, else the usual one.
fn files(setup: &Setup) -> Vec<PathBuf> {
    if let Some(path) = setup.path("kubeconfig", &[]) {
        return vec![path];
    }
    if let Some(all) = setup.environment.paths("KUBECONFIG") {
        // Like kubectl: of several, missing ones are skipped.
        let there: Vec<PathBuf> = all.iter().filter(|path| path.exists()).cloned().collect();
        return if there.is_empty() { all.into_iter().take(1).collect() } else { there };
    }
    let usual = setup.home.join(".kube/config");
    if usual.exists() { vec![usual] } else { Vec::new() }
}

fn in_cluster(setup: &Setup) -> Result<Chosen, SourceError> {
    let Some(host) = setup.environment.text(IN_CLUSTER) else {
        return Err(SourceError::unreachable(
            "there is no kubeconfig, and this is not inside a cluster",
            "set `KUBECONFIG`, or write `kubeconfig = \"PATH\"` to `[sources.kubernetes]` in config.toml",
        ));
    };
    of_account(host, setup.environment.text(IN_CLUSTER_PORT), Path::new(ACCOUNT)).map_err(|cause| {
        SourceError::unreachable(
            format!("the service account of this pod can't be used: {cause}"),
            "let the pod have one (`automountServiceAccountToken`)",
        )
    })
}

/// The cluster that a pod runs in, as the service account in `folder`.
fn of_account(host: &str, port: Option<&str>, folder: &Path) -> Result<Chosen, String> {
    let port = port.ok_or_else(|| format!("`{IN_CLUSTER_PORT}` is not set"))?;
    let port: u16 = port.parse().map_err(|_| format!("`{IN_CLUSTER_PORT}` is not the number of a port"))?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let file = |name: &str| {
        let path = folder.join(name);
        fs::metadata(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok::<PathBuf, String>(path)
    };
    let namespace = fs::read_to_string(file("namespace")?).map_err(|error| error.to_string())?;
    let cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: Some(file("ca.crt")?),
        ..Cluster::default()
    };
    let user = User { token_file: Some(file("token")?), ..User::default() };
    let origin = "the service account of this pod".to_owned();
    Ok(Chosen { cluster, user, namespace: Some(namespace.trim().to_owned()), origin })
}

fn from_files(files: &[PathBuf], setup: &Setup) -> Result<Chosen, SourceError> {
    let mut merged = Kubeconfig::default();
    for path in files {
        merged = merged.merge(kubeconfig::read(path)?);
    }
    let last = files.last().map_or_else(String::new, |path| kubeconfig::shown(path));
    merged.choose(setup.options.text("context"), last)
}

#[cfg(test)]
mod tests {
    use doppio_secrets::Environment;

    use super::*;

    fn setup(home: &Path, variables: &[(&str, String)]) -> Setup {
        let environment: Environment =
            variables.iter().map(|(name, value)| ((*name).into(), value.into())).collect();
        Setup { environment, home: home.to_owned(), ..Setup::default() }
    }

    async fn error(setup: &Setup) -> String {
        api(setup).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_kubeconfig_is_said_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let here = setup(folder.path(), &[("KUBECONFIG", file.display().to_string())]);
        assert!(error(&here).await.starts_with("cannot read `"));
        for text in ["users: [{name: a, user: {token: hunter2 hunter2: }}]", "hunter2", "token: [hunter2"] {
            fs::write(&file, text).unwrap();
            let error = error(&here).await;
            assert!(!error.contains("hunter2"), "{error}");
        }
        fs::write(&file, "current-context: a\ncontexts: []\n").unwrap();
        assert!(error(&here).await.ends_with("has no context `a`"));
    }

    #[tokio::test]
    async fn without_kubeconfig_and_cluster_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error(&setup(folder.path(), &[])).await.contains("no kubeconfig"));
    }

    #[test]
    fn a_pod_has_its_cluster_and_its_account() {
        let folder = tempfile::tempdir().unwrap();
        let of = |port| of_account("fd00::1", port, folder.path());
        assert!(of(Some("443")).unwrap_err().contains("namespace"));
        for (name, text) in [("namespace", "ml\n"), ("ca.crt", "x"), ("token", "hunter2")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let chosen = of(Some("443")).unwrap();
        assert_eq!(chosen.cluster.server.as_deref(), Some("https://[fd00::1]:443"));
        assert_eq!(chosen.namespace.as_deref(), Some("ml"));
        assert_eq!(chosen.user.token_file, Some(folder.path().join("token")));
        assert!(of(None).unwrap_err().contains("is not set"));
        assert!(of(Some("x")).unwrap_err().contains("not the number of a port"));
    }
}
