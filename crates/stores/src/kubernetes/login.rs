//! Which cluster, and as whom: a kubeconfig, or the service account of the pod that this runs in.

use std::path::Path;
use std::path::PathBuf;

use kube::Client;
use kube::Config;
use kube::config::ExecInteractiveMode;
use kube::config::KubeConfigOptions;
use kube::config::Kubeconfig;

use doppio_process::OWN;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Stuck;
use doppio_secrets::source::detached;

use super::api::Api;
use super::fault;

/// Set in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// Connects nothing yet; the kubeconfig's login program may run.
pub(super) async fn api(setup: &Setup) -> Result<Api, SourceError> {
    let mut config = match files(setup) {
        files if files.is_empty() => in_cluster(setup)?,
        files => from_files(&files, setup).await?,
    };
    if let Some(namespace) = setup.options.text("namespace") {
        config.default_namespace = namespace.to_owned();
    }
    // The caller retries; the deadline is outside.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    // A login program is waited for by the thread that starts it.
    let runtime = tokio::runtime::Handle::current();
    let client = detached(None, move || {
        let _guard = runtime.enter();
        Client::try_from(config)
    });
    match client.await {
        Ok(client) => Ok(Api::new(client.map_err(|error| fault::of(error, "secrets"))?, namespace)),
        Err(Stuck::Deadline | Stuck::Died) => {
            Err(SourceError::unreachable("the client of Kubernetes broke", "report it, please"))
        }
    }
}

/// The kubeconfigs that are there: those of the settings or of `KUBECONFIG`, else the usual one.
fn files(setup: &Setup) -> Vec<PathBuf> {
    if let Some(path) = setup.path("kubeconfig", &[]) {
        return vec![path];
    }
    if let Some(list) = setup.environment.get("KUBECONFIG") {
        // Like kubectl: of several, missing ones are skipped.
        let all: Vec<PathBuf> =
            std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect();
        let there: Vec<PathBuf> = all.iter().filter(|path| path.exists()).cloned().collect();
        return if there.is_empty() { all.into_iter().take(1).collect() } else { there };
    }
    let usual = setup.home.join(".kube/config");
    if usual.exists() { vec![usual] } else { Vec::new() }
}

fn in_cluster(setup: &Setup) -> Result<Config, SourceError> {
    if setup.environment.get(IN_CLUSTER).is_none() {
        return Err(SourceError::unreachable(
            "there is no kubeconfig, and this is not inside a cluster",
            "set `KUBECONFIG`, or write `kubeconfig = \"PATH\"` to `[sources.kubernetes]` in config.toml",
        ));
    }
    Config::incluster().map_err(|error| {
        SourceError::unreachable(
            format!("the service account of this pod can't be used: {error}"),
            "let the pod have one (`automountServiceAccountToken`)",
        )
    })
}

async fn from_files(files: &[PathBuf], setup: &Setup) -> Result<Config, SourceError> {
    let mut merged = Kubeconfig::default();
    for path in files {
        let read = read(path)?;
        merged = merged.merge(read).map_err(|error| fault::of_kubeconfig(&error, &shown(path)))?;
    }
    for user in merged.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()) {
        // The program does not get the terminal: its questions would come between our lines.
        if let Some(exec) = &mut user.exec {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
            exec.drop_env.get_or_insert_default().extend(OWN.map(str::to_owned));
        }
        if let Some(provider) = &mut user.auth_provider {
            let dropped = provider.config.entry("cmd-drop-env".to_owned()).or_default();
            *dropped = format!("{dropped} {}", OWN.join(" "));
        }
    }
    let options = KubeConfigOptions {
        context: setup.options.text("context").map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let last = files.last().map_or_else(String::new, |path| shown(path));
    Config::from_custom_kubeconfig(merged, &options)
        .await
        .map_err(|error| fault::of_kubeconfig(&error, &last))
}

fn read(path: &Path) -> Result<Kubeconfig, SourceError> {
    Kubeconfig::read_from(path).map_err(|error| fault::of_kubeconfig(&error, &shown(path)))
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use doppio_secrets::Environment;
    use doppio_secrets::source::Local;
    use doppio_secrets::source::Options;

    use super::*;

    fn setup(home: &Path, variables: &[(&str, String)]) -> Setup {
        let environment: Environment =
            variables.iter().map(|(name, value)| ((*name).into(), value.into())).collect();
        Setup { environment, home: home.to_owned(), options: Options::default(), local: Local::default() }
    }

    async fn fault(setup: &Setup) -> String {
        api(setup).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_kubeconfig_is_said_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let here = setup(folder.path(), &[("KUBECONFIG", file.display().to_string())]);
        assert!(fault(&here).await.starts_with("cannot read `"));
        for text in ["users: [{name: a, user: {token: hunter2 hunter2: }}]", "hunter2", "token: [hunter2"] {
            fs::write(&file, text).unwrap();
            let fault = fault(&here).await;
            assert!(!fault.contains("hunter2"), "{fault}");
        }
        fs::write(&file, "current-context: a\ncontexts: []\n").unwrap();
        assert!(fault(&here).await.ends_with("has no context `a`"));
    }

    #[tokio::test]
    async fn without_kubeconfig_and_cluster_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fault(&setup(folder.path(), &[])).await.contains("no kubeconfig"));
    }
}
