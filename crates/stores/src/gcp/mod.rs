//! Google Cloud Secret Manager: `gcp:NAME`, `gcp:projects/PROJECT/secrets/NAME`, each with
//! `@VERSION`, which is a number, `latest` or an alias.

mod api;
mod crc32c;
mod host;
mod login;
mod path;
mod refusal;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Setup;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use api::Api;
use api::Secret;
use api::SecretVersion;
use api::State;
use login::Login;
use path::Path;

/// How it is made.
pub(super) const SOURCE: RemoteSource = RemoteSource { kind: &KIND, open: |setup| Arc::new(Gcp::new(setup)) };

static KIND: Kind = Kind {
    scheme: "gcp",
    summary: "Google Cloud Secret Manager, as gcp:NAME or gcp:projects/PROJECT/secrets/NAME",
    writes: true,
    versions: true,
    remote: Some(RemoteKind {
        deadline: DEADLINE,
        batch: 1,
        keys: &[
            Key { name: "project", form: KeyType::Text, doc: "the project of names without one" },
            Key {
                name: "quota_project",
                form: KeyType::Text,
                doc: "who pays, as `x-goog-user-project` says",
            },
            Key {
                name: "credentials",
                form: KeyType::Path,
                doc: "instead of `GOOGLE_APPLICATION_CREDENTIALS`",
            },
            Key {
                name: "endpoint",
                form: KeyType::Text,
                doc: "another address of the service; over http on this machine only, without a login",
            },
        ],
    }),
};

/// What an item is without a version.
const LATEST: &str = "latest";

/// What Doppio writes on a secret that it makes.
const MANAGED_BY: (&str, &str) = ("managed-by", "doppio");
const NOTE: &str = "doppio.note";
const EXPIRES: &str = "doppio.expires";

/// The secrets of one or more projects.
#[derive(Debug)]
struct Gcp {
    setup: Setup,
    /// Made with the first question: that reads the login's file.
    login: OnceCell<Login>,
}

impl Gcp {
    fn new(setup: Setup) -> Self {
        Self { setup, login: OnceCell::new() }
    }

    async fn login(&self) -> Result<&Login, SourceError> {
        self.login.get_or_try_init(|| login::login(&self.setup)).await
    }

    /// The service, and the full name of a secret.
    async fn secret(&self, path: &str) -> Result<(&Api, String), SourceError> {
        let path = Path::parse(path)?;
        let login = self.login().await?;
        Ok((&login.api, path.full(login.project.as_deref())?))
    }
}

/// Makes a secret without a version. It may have been made by somebody else meanwhile.
async fn create(api: &Api, name: &str, remark: &Remark) -> Result<(), SourceError> {
    match api.create(name, MANAGED_BY, &noted(HashMap::new(), remark)).await {
        Err(failure) if !refusal::is_conflict(&failure) => Err(failure.into()),
        _ => Ok(()),
    }
}

/// Writes note and expiry on a secret that is there, and removes what was said of the value before.
async fn annotate(api: &Api, name: &str, remark: &Remark) -> Result<(), SourceError> {
    let found = match api.secret(name).await.map_err(SourceError::from) {
        // Credentials that may only add versions have written nothing on it before.
        Err(SourceError::NotAllowed { .. }) if remark.is_empty() => return Ok(()),
        found => found?,
    };
    let annotations = noted(found.annotations.clone(), remark);
    if annotations != found.annotations {
        api.annotate(&found, &annotations).await?;
    }
    Ok(())
}

fn noted(mut annotations: HashMap<String, String>, remark: &Remark) -> HashMap<String, String> {
    for (name, text) in remark.texts(NOTE, EXPIRES) {
        match text {
            Some(text) => annotations.insert(name.to_owned(), text),
            None => annotations.remove(name),
        };
    }
    annotations
}

/// The last part of a resource's name.
fn last(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

fn words(state: State) -> &'static str {
    match state {
        State::Enabled => "enabled",
        State::Disabled => "disabled",
        State::Destroyed => "destroyed",
        State::Unknown => "in a state that Doppio does not know",
    }
}

/// `version` is the full name of the version as the service gave it. Note and expiry stand on the
/// secret, which is another request: only a list tells them.
fn metadata_of(name: &str, version: &str) -> Metadata {
    Metadata { place: format!("`{name}`"), version: Some(last(version).to_owned()), ..Metadata::default() }
}

#[async_trait]
impl Source for Gcp {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "Google Cloud Secret Manager".to_owned()
    }

    /// Its names have no slashes and no dots.
    fn spelling(&self, name: &SecretName) -> String {
        name.as_str().replace(['/', '.'], "-")
    }

    fn remedy(&self, path: &str) -> String {
        match Path::parse(path) {
            Ok(Path { project: Some(project), name }) => {
                let project = format!("--project={project}");
                format!("run {}", typed(["gcloud", "secrets", "create", name, &project, "--data-file=FILE"]))
            }
            Ok(Path { name, .. }) => {
                format!("run {}", typed(["gcloud", "secrets", "create", name, "--data-file=FILE"]))
            }
            Err(_) => "write it as `gcp:projects/PROJECT/secrets/NAME`".to_owned(),
        }
    }

    async fn check(&self) -> Answer<()> {
        let login = self.login().await?;
        match login.api.peek(login.project()?).await {
            Err(failure) if !refusal::is_denied(&failure) => Err(failure.into()),
            // Credentials that may not list are known anyway.
            _ => Ok(()),
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let version = path::version(version.unwrap_or(LATEST))?;
        let (api, name) = self.secret(path).await?;
        let found = api.access(&format!("{name}/versions/{version}")).await?;
        let mut metadata = metadata_of(&name, &found.name);
        match found.is_whole {
            Some(true) => {}
            Some(false) => {
                return Err(SourceError::unreachable(
                    "the value arrived damaged: its CRC32C is not what the service says",
                    "try again",
                ));
            }
            None => metadata.warnings.push("the service sent no CRC32C beside the value".to_owned()),
        }
        Ok((found.value, metadata))
    }

    /// Asks what is known of a version. `roles/secretmanager.secretAccessor` may only read; then
    /// the value, which is wiped at once, shows that it is there.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        let wanted = path::version(version.unwrap_or(LATEST))?;
        let (api, name) = self.secret(path).await?;
        let found = match api.version(&format!("{name}/versions/{wanted}")).await.map_err(SourceError::from) {
            Err(SourceError::NotAllowed { .. }) => {
                return self.get(path, version).await.map(|(_, metadata)| metadata);
            }
            found => found?,
        };
        if found.state != State::Enabled {
            let id = last(&found.name);
            return Err(SourceError::unfit(format!("version {id} of `{name}` is {}", words(found.state))));
        }
        Ok(Metadata { created: found.create_time, ..metadata_of(&name, &found.name) })
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let (api, name) = self.secret(path).await?;
        let payload = api::payload(value)?;
        let mut warnings = Vec::new();
        let added = match api.add(&name, &payload).await.map_err(SourceError::from) {
            Err(SourceError::Missing) => {
                create(api, &name, remark).await?;
                api.add(&name, &payload).await?
            }
            Err(error) => return Err(error),
            Ok(added) => {
                // The value is in force by now.
                let done = annotate(api, &name, remark).await;
                warnings.extend(done.err().map(|error| remark.unwritten(&error)));
                added
            }
        };
        Ok(Metadata { created: added.create_time, warnings, ..metadata_of(&name, &added.name) })
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        let (api, name) = self.secret(path).await?;
        Ok(api.delete(&name).await?)
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let login = self.login().await?;
        let all = login.api.secrets(login.project()?).await?;
        let metadata = |secret: &Secret| {
            let note = |name: &str| secret.annotations.get(name).cloned();
            Metadata {
                place: format!("`{}`", secret.name),
                created: secret.create_time,
                note: note(NOTE),
                expires: note(EXPIRES).and_then(|text| text.parse().ok()),
                ..Metadata::default()
            }
        };
        Ok(all.iter().map(|secret| (last(&secret.name).to_owned(), metadata(secret))).collect())
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let (api, name) = self.secret(path).await?;
        let mut all = api.versions(&name).await?;
        all.sort_by_key(|version| std::cmp::Reverse(last(&version.name).parse::<u64>().unwrap_or(0)));
        let of = |(at, version): (usize, &SecretVersion)| Version {
            id: last(&version.name).to_owned(),
            created: version.create_time,
            labels: vec![words(version.state).to_owned()],
            // `latest` is the newest one, whether or not it can be read.
            current: at == 0,
            readable: version.state == State::Enabled,
        };
        Ok(all.iter().enumerate().map(of).collect())
    }
}
