//! Application Default Credentials (<https://google.aip.dev/auth/4110>) and the client.

use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::PathBuf;

use google_cloud_auth::build_errors;
use google_cloud_auth::credentials::Credentials;
use google_cloud_auth::credentials::anonymous;
use google_cloud_auth::credentials::external_account;
use google_cloud_auth::credentials::impersonated;
use google_cloud_auth::credentials::mds;
use google_cloud_auth::credentials::service_account;
use google_cloud_auth::credentials::user_account;
use reqwest::Url;
use zeroize::Zeroizing;

use doppio_process::OWN;
use doppio_secrets::looks_like_path;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use super::api::Api;
use super::host;
use super::path;

/// Where the project is looked for after the settings.
const PROJECT: [&str; 3] = ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"];

/// What is asked of Google for a login: <https://cloud.google.com/secret-manager/docs/accessing-the-api>.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

const HOW_TO_LOG_IN: &str =
    "run `gcloud auth application-default login`, or set `GOOGLE_APPLICATION_CREDENTIALS` to a key's file";

/// The client, and whose secrets it sees.
#[derive(Debug)]
pub(super) struct Login {
    pub api: Api,
    pub project: Option<String>,
}

impl Login {
    pub(super) fn project(&self) -> Result<&str, SourceError> {
        self.project.as_deref().ok_or_else(path::no_project)
    }
}

/// Nothing is asked of Google yet.
pub(super) async fn login(setup: &Setup) -> Result<Login, SourceError> {
    let endpoint = setup.options.text("endpoint");
    let (credentials, of_login) = match endpoint.filter(|endpoint| !endpoint.starts_with("https://")) {
        Some(endpoint) if is_this_machine(endpoint) => (anonymous::Builder::new().build(), None),
        Some(endpoint) => {
            return Err(SourceError::unfit(format!(
                "`endpoint = \"{endpoint}\"` is neither https nor an http address of this machine"
            )));
        }
        None => credentials(setup)?,
    };
    let project = setup.text("project", &PROJECT).or(of_login);
    if let Some(project) = project.as_deref().filter(|project| !path::is_project(project)) {
        let shown = if looks_like_path(project.as_ref()) {
            format!("`{project}`")
        } else {
            "what is set as the project".to_owned()
        };
        return Err(SourceError::unfit(format!("{shown} is not the id or number of a project")));
    }
    let universe = host::universe(setup, &credentials).await?;
    Ok(Login { api: Api::new(endpoint, &universe, credentials, setup.logins.clone())?, project })
}

/// Whether this is an http address of the loopback interface, where no login may travel in the
/// open and none is needed.
fn is_this_machine(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else { return false };
    let is_here = url.host_str().is_some_and(|host| {
        let number = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || number.is_ok_and(|address| address.is_loopback())
    });
    is_here && url.scheme() == "http" && url.username().is_empty() && url.password().is_none()
}

/// The credentials, and the project that their file names.
fn credentials(setup: &Setup) -> Result<(Credentials, Option<String>), SourceError> {
    let quota = setup.text("quota_project", &["GOOGLE_CLOUD_QUOTA_PROJECT"]);
    // The builders have this method in common, and no trait.
    macro_rules! build {
        ($builder:expr) => {
            match quota {
                Some(project) => $builder.with_quota_project_id(project).build(),
                None => $builder.build(),
            }
        };
    }
    let Some((file, mut json)) = file(setup)? else {
        // Without a file this is a machine of Google's, or has no login.
        let built = build!(mds::Builder::default());
        return built
            .map(|credentials| (credentials, None))
            .map_err(|error| unusable("the metadata server", &error));
    };
    forget_own(&mut json);
    let text = |key: &str| json.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let project = text("project_id").or_else(|| text("quota_project_id"));
    let built = match text("type").as_deref() {
        Some("authorized_user") => build!(user_account::Builder::new(json)),
        Some("service_account") => build!(service_account::Builder::new(json)),
        Some("impersonated_service_account") => build!(impersonated::Builder::new(json)),
        Some("external_account") => build!(external_account::Builder::new(json).with_scopes([SCOPE])),
        other => {
            let kind = other.map_or_else(|| "no `type`".to_owned(), |kind| format!("the type `{kind}`"));
            return Err(SourceError::unreachable(
                format!("{file} has {kind}, which Doppio can't log in with"),
                HOW_TO_LOG_IN,
            ));
        }
    };
    built.map(|credentials| (credentials, project)).map_err(|error| unusable(&file, &error))
}

/// Has programs that the file names, which the library starts by itself with all of Doppio's
/// environment, forget what is Doppio's own. Their words are split at white space, by no shell.
fn forget_own(json: &mut serde_json::Value) {
    for at in ["", "/source_credentials"] {
        let place = format!("{at}/credential_source/executable/command");
        if let Some(serde_json::Value::String(command)) = json.pointer_mut(&place) {
            let forget = OWN.map(|name| format!("-u {name} ")).concat();
            command.insert_str(0, &format!("env {forget}"));
        }
    }
}

/// The error's own words may quote the file, so only its kind is told.
fn unusable(file: &str, error: &build_errors::Error) -> SourceError {
    let what = if error.is_missing_field() { "lacks a field" } else { "can't be used" };
    SourceError::unreachable(format!("the login in {file} {what}"), HOW_TO_LOG_IN)
}

/// The file of the login, where there is one: its name for messages, and what is in it.
fn file(setup: &Setup) -> Result<Option<(String, serde_json::Value)>, SourceError> {
    let named = setup.path("credentials", &["GOOGLE_APPLICATION_CREDENTIALS"]);
    let path = named.clone().unwrap_or_else(|| {
        let folder = setup.environment.path("CLOUDSDK_CONFIG");
        let folder: PathBuf = folder.unwrap_or_else(|| setup.home.join(".config/gcloud"));
        folder.join("application_default_credentials.json")
    });
    let shown = format!("`{}`", path.display());
    let text = match fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(None),
        Err(error) => {
            return Err(SourceError::unreachable(format!("cannot read {shown}: {error}"), HOW_TO_LOG_IN));
        }
    };
    let json = serde_json::from_str(&text)
        .map_err(|_| SourceError::unreachable(format!("{shown} is not JSON"), HOW_TO_LOG_IN))?;
    Ok(Some((shown, json)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_forget_what_is_our_own() {
        let source = serde_json::json!({ "executable": { "command": "login --now" } });
        let mut json = serde_json::json!({
            "credential_source": source, "source_credentials": { "credential_source": source },
        });
        forget_own(&mut json);
        for at in ["", "/source_credentials"] {
            let place = format!("{at}/credential_source/executable/command");
            let command = json.pointer(&place).and_then(serde_json::Value::as_str).unwrap();
            assert!(command.starts_with("env -u ") && command.ends_with(" login --now"), "{command}");
            assert!(OWN.iter().all(|name| command.contains(&format!("-u {name} "))), "{command}");
        }
        let mut other = serde_json::json!({ "type": "authorized_user" });
        forget_own(&mut other);
        assert_eq!(other, serde_json::json!({ "type": "authorized_user" }));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_open() {
        for endpoint in ["http://127.0.0.1:80", "http://localhost", "http://[::1]:8080/", "http://127.9.9.9"]
        {
            assert!(is_this_machine(endpoint), "{endpoint}");
        }
        for endpoint in [
            "http://example.com",
            "http://127.0.0.1.example.com",
            "https://127.0.0.1",
            "http://127.0.0.1@evil.com",
            "http://127.0.0.1:80@evil.com",
            "http://127.0.0.1:80@127.0.0.1",
            "http://evil.com/?@127.0.0.1",
            "http://evil.com#127.0.0.1",
            "http://[::1].evil.com",
            "http:/",
        ] {
            assert!(!is_this_machine(endpoint), "{endpoint}");
        }
    }
}
