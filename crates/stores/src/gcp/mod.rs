//! Google Cloud Secret Manager: `gcp:NAME`, `gcp:projects/PROJECT/secrets/NAME`, each with
//! `@VERSION`, which is a number, `latest` or an alias.

mod crc32c;
mod fault;
mod login;
mod path;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use google_cloud_secretmanager_v1::model::Replication;
use google_cloud_secretmanager_v1::model::Secret;
use google_cloud_secretmanager_v1::model::SecretPayload;
use google_cloud_secretmanager_v1::model::SecretVersion;
use google_cloud_secretmanager_v1::model::UpdateSecretRequest;
use google_cloud_secretmanager_v1::model::replication::Automatic;
use google_cloud_secretmanager_v1::model::secret_version::State;
use tokio::sync::OnceCell;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Form;
use doppio_secrets::source::Key;
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
            Key { name: "project", form: Form::Text, doc: "the project of names without one" },
            Key { name: "quota_project", form: Form::Text, doc: "who pays, as `x-goog-user-project` says" },
            Key { name: "credentials", form: Form::Path, doc: "instead of `GOOGLE_APPLICATION_CREDENTIALS`" },
            Key {
                name: "endpoint",
                form: Form::Text,
                doc: "another address of the service; over http on this machine only, without a login",
            },
        ],
    }),
};

/// What an item is without a version.
const LATEST: &str = "latest";

/// The service takes no more: <https://cloud.google.com/secret-manager/quotas>.
const LONGEST: usize = 64 << 10;

/// Names of one page of a list.
const PAGE: i32 = 1000;

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

    /// The client, and the full name of a secret.
    async fn secret(&self, path: &str) -> Result<(&SecretManagerService, String), SourceError> {
        let path = Path::parse(path)?;
        let login = self.login().await?;
        Ok((&login.client, path.full(login.project.as_deref())?))
    }

    async fn read(&self, path: &str, version: Option<&str>) -> Result<(SecretValue, Metadata), SourceError> {
        let version = path::version(version.unwrap_or(LATEST))?;
        let (client, name) = self.secret(path).await?;
        let request = client.access_secret_version().set_name(format!("{name}/versions/{version}"));
        let answer = request.send().await.map_err(|error| fault::of(&error))?;
        let payload = answer.payload.ok_or_else(fault::nonsense)?;
        let mut facts = facts(&name, &answer.name);
        match payload.data_crc32c {
            Some(sum) if sum != i64::from(crc32c::of(&payload.data)) => {
                return Err(SourceError::unreachable(
                    "the value arrived damaged: its CRC32C is not what the service says",
                    "try again",
                ));
            }
            Some(_) => {}
            None => facts.warnings.push("the service sent no CRC32C beside the value".to_owned()),
        }
        Ok((SecretValue::new(Vec::from(payload.data)), facts))
    }

    /// Asks what is known of a version. `roles/secretmanager.secretAccessor` may only read; then
    /// the value, which is wiped at once, shows that it is there.
    async fn place_of(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        let wanted = path::version(version.unwrap_or(LATEST))?;
        let (client, name) = self.secret(path).await?;
        let request = client.get_secret_version().set_name(format!("{name}/versions/{wanted}"));
        let found = match request.send().await.map_err(|error| fault::of(&error)) {
            Err(SourceError::NotAllowed { .. }) => {
                return self.read(path, version).await.map(|(_, facts)| facts);
            }
            found => found?,
        };
        if found.state != State::Enabled {
            let id = last(&found.name);
            return Err(SourceError::unfit(format!("version {id} of `{name}` is {}", state(&found))));
        }
        Ok(Metadata { created: created(&found), ..facts(&name, &found.name) })
    }

    async fn write(&self, path: &str, value: &SecretValue, remark: &Remark) -> Result<Metadata, SourceError> {
        let (client, name) = self.secret(path).await?;
        let payload = payload(value)?;
        let add = || client.add_secret_version().set_parent(name.clone()).set_payload(payload.clone());
        let mut warnings = Vec::new();
        let added = match add().send().await.map_err(|error| fault::of(&error)) {
            Err(SourceError::Missing) => {
                create(client, &name, remark).await?;
                add().send().await.map_err(|error| fault::of(&error))?
            }
            Err(error) => return Err(error),
            Ok(added) => {
                // The value is in force by now.
                let done = annotate(client, &name, remark).await;
                warnings.extend(done.err().map(|error| remark.unwritten(&error)));
                added
            }
        };
        Ok(Metadata { created: created(&added), warnings, ..facts(&name, &added.name) })
    }

    async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let (client, name) = self.secret(path).await?;
        client.delete_secret().set_name(name).send().await.map_err(|error| fault::of(&error))
    }

    async fn paths(&self) -> Result<Vec<(String, Metadata)>, SourceError> {
        let login = self.login().await?;
        let project = login.project()?;
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let page = login
                .client
                .list_secrets()
                .set_parent(format!("projects/{project}"))
                .set_page_size(PAGE)
                .set_page_token(std::mem::take(&mut next))
                .send()
                .await
                .map_err(|error| fault::of(&error))?;
            all.extend(page.secrets.iter().map(|secret| {
                let note = |name: &str| secret.annotations.get(name).cloned();
                let facts = Metadata {
                    place: format!("`{}`", secret.name),
                    created: secret
                        .create_time
                        .as_ref()
                        .and_then(|time| jiff::Timestamp::new(time.seconds(), time.nanos()).ok()),
                    note: note(NOTE),
                    expires: note(EXPIRES).and_then(|text| text.parse().ok()),
                    ..Metadata::default()
                };
                (last(&secret.name).to_owned(), facts)
            }));
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            next = page.next_page_token;
        }
    }

    async fn history(&self, path: &str) -> Result<Vec<Version>, SourceError> {
        let (client, name) = self.secret(path).await?;
        let mut all: Vec<SecretVersion> = Vec::new();
        let mut next = String::new();
        loop {
            let request = client.list_secret_versions().set_parent(name.clone()).set_page_size(PAGE);
            let page = request.set_page_token(std::mem::take(&mut next)).send().await;
            let page = page.map_err(|error| fault::of(&error))?;
            all.extend(page.versions);
            if page.next_page_token.is_empty() {
                break;
            }
            next = page.next_page_token;
        }
        all.sort_by_key(|version| std::cmp::Reverse(last(&version.name).parse::<u64>().unwrap_or(0)));
        Ok(all
            .iter()
            .enumerate()
            .map(|(at, version)| Version {
                id: last(&version.name).to_owned(),
                created: created(version),
                labels: vec![state(version).to_owned()],
                // `latest` is the newest one, whether or not it can be read.
                current: at == 0,
                readable: version.state == State::Enabled,
            })
            .collect())
    }

    async fn prove(&self) -> Result<(), SourceError> {
        let login = self.login().await?;
        let parent = format!("projects/{}", login.project()?);
        let asked = login.client.list_secrets().set_parent(parent).set_page_size(1).send().await;
        match asked {
            Err(error) if !fault::is_denied(&error) => Err(fault::of(&error)),
            // Credentials that may not list are known anyway.
            _ => Ok(()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the value goes to Secret Manager")]
fn payload(value: &SecretValue) -> Result<SecretPayload, SourceError> {
    value.reveal(|bytes| {
        if bytes.len() > LONGEST {
            return Err(SourceError::too_long("Secret Manager", LONGEST));
        }
        let sum = i64::from(crc32c::of(bytes));
        Ok(SecretPayload::new().set_data(bytes.to_vec()).set_data_crc32c(sum))
    })
}

/// Makes a secret without a version. It may have been made by somebody else meanwhile.
async fn create(client: &SecretManagerService, name: &str, remark: &Remark) -> Result<(), SourceError> {
    let (parent, id) = name.split_once("/secrets/").unwrap_or_default();
    let secret = Secret::new()
        .set_replication(Replication::new().set_automatic(Automatic::new()))
        .set_labels([MANAGED_BY])
        .set_annotations(noted(HashMap::new(), remark));
    let made = client.create_secret().set_parent(parent).set_secret_id(id).set_secret(secret).send().await;
    match made {
        Err(error) if !fault::is_conflict(&error) => Err(fault::of(&error)),
        _ => Ok(()),
    }
}

/// Writes note and expiry on a secret that is there, and removes what was said of the value before.
async fn annotate(client: &SecretManagerService, name: &str, remark: &Remark) -> Result<(), SourceError> {
    let found = match client.get_secret().set_name(name).send().await.map_err(|error| fault::of(&error)) {
        // Credentials that may only add versions have written nothing on it before.
        Err(SourceError::NotAllowed { .. }) if remark.is_empty() => return Ok(()),
        found => found?,
    };
    let annotations = noted(found.annotations.clone(), remark);
    if annotations == found.annotations {
        return Ok(());
    }
    let secret = Secret::new().set_name(name).set_etag(found.etag).set_annotations(annotations);
    let mut change = UpdateSecretRequest::new().set_secret(secret);
    change.update_mask.get_or_insert_default().paths = vec!["annotations".to_owned()];
    let changed = client.update_secret().with_request(change).send().await;
    changed.map(drop).map_err(|error| fault::of(&error))
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

fn state(version: &SecretVersion) -> &'static str {
    match version.state {
        State::Enabled => "enabled",
        State::Disabled => "disabled",
        State::Destroyed => "destroyed",
        _ => "in a state that Doppio does not know",
    }
}

/// `version` is the full name of the version as the service gave it. Note and expiry stand on the
/// secret, which is another request: only a list tells them.
fn facts(name: &str, version: &str) -> Metadata {
    Metadata { place: format!("`{name}`"), version: Some(last(version).to_owned()), ..Metadata::default() }
}

fn created(version: &SecretVersion) -> Option<jiff::Timestamp> {
    let time = version.create_time.as_ref()?;
    jiff::Timestamp::new(time.seconds(), time.nanos()).ok()
}

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
                format!("run `gcloud secrets create {name} --project={project} --data-file=FILE`")
            }
            Ok(Path { name, .. }) => format!("run `gcloud secrets create {name} --data-file=FILE`"),
            Err(_) => "write it as `gcp:projects/PROJECT/secrets/NAME`".to_owned(),
        }
    }

    fn check(&self) -> Answer<'_, ()> {
        self.prove().boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Metadata)> {
        self.read(path, version).boxed()
    }

    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Metadata> {
        self.place_of(path, version).boxed()
    }

    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Metadata> {
        self.write(path, value, remark).boxed()
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.remove(path).boxed()
    }

    fn list(&self) -> Answer<'_, Vec<(String, Metadata)>> {
        self.paths().boxed()
    }

    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        self.history(path).boxed()
    }
}
