//! Secrets of a Kubernetes cluster: `kubernetes:[NAMESPACE/]NAME[#KEY]`.
//!
//! A Secret holds several values under keys. One with a single key may be named without it; of one
//! with more, the key must be given, since a value may be any bytes and has no form in a text of
//! the whole.

mod api;
mod client;
mod kubeconfig;
mod login;
mod path;
mod program;
mod refusal;
mod tls;
mod write;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::OnceCell;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Item;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Member;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Setup;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::no_versions;
use doppio_text::name::SecretName;

use api::Api;
use api::Found;
use api::Written;
use path::Path;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Kubernetes::new(setup)) };

static KIND: Kind = Kind {
    scheme: "kubernetes",
    summary: "a Secret of a Kubernetes cluster, as kubernetes:NAMESPACE/NAME#KEY",
    writes: true,
    versions: false,
    remote: Some(RemoteKind {
        deadline: DEADLINE,
        batch: 16,
        keys: &[
            Key {
                name: "kubeconfig",
                form: KeyType::Path,
                doc: "instead of `KUBECONFIG` and ~/.kube/config",
            },
            Key { name: "context", form: KeyType::Text, doc: "the context of the kubeconfig" },
            Key { name: "namespace", form: KeyType::Text, doc: "where a name without one is looked for" },
            Key {
                name: "override",
                form: KeyType::Truth,
                doc: "write to Secrets that Doppio did not make, and remove them",
            },
        ],
    }),
};

/// The key of a Secret that Doppio makes when none is named.
const USUAL_KEY: &str = "value";

/// Where the note and the expiry of a key stand, as annotations.
const NOTE: &str = "doppio.dev/note";
const EXPIRES: &str = "doppio.dev/expires";

/// The Secrets of one cluster.
#[derive(Debug)]
struct Kubernetes {
    setup: Setup,
    /// Made with the first question: that may read files and run the kubeconfig's program.
    api: OnceCell<Api>,
}

impl Kubernetes {
    fn new(setup: Setup) -> Self {
        Self { setup, api: OnceCell::new() }
    }

    async fn api(&self) -> Result<&Api, SourceError> {
        self.api.get_or_try_init(|| login::api(&self.setup)).await
    }
}

fn parse(item: &Item) -> Answer<Path<'_>> {
    no_versions("Kubernetes", item.version.as_deref())?;
    Path::parse(&item.path)
}

/// The value that is meant, and what is known of it. All others are wiped.
fn pick(path: &Path<'_>, namespace: &str, mut found: Found) -> Answer<(SecretValue, Metadata)> {
    let key = match path.key {
        Some(key) => key.to_owned(),
        None => only_key(path, &found)?.to_owned(),
    };
    let value = found.data.remove(&key).ok_or(SourceError::Missing)?;
    Ok((value, metadata_of(path, namespace, &key, &found.written)))
}

fn only_key<'a>(path: &Path<'_>, found: &'a Found) -> Result<&'a str, SourceError> {
    let keys: Vec<&str> = found.data.keys().map(String::as_str).collect();
    match keys.as_slice() {
        [] => Err(SourceError::Missing),
        [key] => Ok(key),
        [first, ..] => Err(SourceError::unfit(format!(
            "the Secret `{path}` has the keys {}: name one, as in `kubernetes:{path}#{first}`",
            keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn provenance(path: &Path<'_>, namespace: &str, key: &str) -> String {
    let name = path.name;
    if key.is_empty() {
        format!("Secret `{namespace}/{name}`")
    } else {
        format!("Secret `{namespace}/{name}`, key `{key}`")
    }
}

fn metadata_of(path: &Path<'_>, namespace: &str, key: &str, written: &Written) -> Metadata {
    let note = |name: &str| {
        let annotations = written.metadata.annotations.as_ref()?;
        annotations.get(&format!("{name}.{key}")).cloned()
    };
    Metadata {
        place: match &written.metadata.resource_version {
            Some(version) => format!("{}, resourceVersion {version}", provenance(path, namespace, key)),
            None => provenance(path, namespace, key),
        },
        created: written.metadata.creation_timestamp,
        expires: note(EXPIRES).and_then(|text| text.parse().ok()),
        note: note(NOTE),
        ..Metadata::default()
    }
}

#[async_trait]
impl Source for Kubernetes {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "Kubernetes".to_owned()
    }

    /// `service/key` is the key of a Secret that is called like the service. Names of Secrets are
    /// narrower than ours.
    fn spelling(&self, name: &SecretName) -> String {
        let (secret, key) = match name.as_str().rsplit_once('/') {
            Some((service, key)) => (service, Some(key)),
            None => (name.as_str(), None),
        };
        let secret = secret.to_lowercase().replace(['/', '_'], "-");
        key.map_or_else(|| secret.clone(), |key| format!("{secret}#{key}"))
    }

    /// The key of a Secret that holds many: it has no `/`.
    fn property_spelling(&self, name: &SecretName) -> String {
        name.as_str().replace('/', "-")
    }

    fn member(&self, path: &str, property: &str) -> Option<Member> {
        let (key, rest) = Member::split(property);
        (!path.contains('#'))
            .then(|| Member { path: format!("{path}#{key}"), rest: rest.into_iter().collect() })
    }

    fn keeps_members(&self) -> bool {
        true
    }

    async fn member_keys(&self, path: &str) -> Answer<Vec<String>> {
        let path = Path::parse(path)?;
        let api = self.api().await?;
        let found = api.get(path.namespace.unwrap_or(&api.namespace), path.name).await?;
        Ok(found.data.keys().cloned().collect())
    }

    fn remedy(&self, path: &str) -> String {
        let Ok(path) = Path::parse(path) else {
            return "write it as `kubernetes:NAMESPACE/NAME#KEY`".to_owned();
        };
        let namespace = path.namespace.map_or_else(String::new, |name| format!(" --namespace {name}"));
        let key = path.key.unwrap_or(USUAL_KEY);
        format!("run `kubectl create secret generic {}{namespace} --from-file={key}=FILE`", path.name)
    }

    fn remedy_of_member(&self, path: &str, _property: &str) -> Option<String> {
        let path = Path::parse(path).ok()?;
        let namespace = path.namespace.map_or_else(String::new, |name| format!(" --namespace {name}"));
        Some(format!("run `kubectl edit secret {}{namespace}`, which takes values in base64", path.name))
    }

    async fn check(&self) -> Answer<()> {
        let api = self.api().await?;
        api.may_read(&api.namespace).await
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        no_versions("Kubernetes", version)?;
        let path = Path::parse(path)?;
        let api = self.api().await?;
        let namespace = path.namespace.unwrap_or(&api.namespace);
        let found = api.get(namespace, path.name).await?;
        pick(&path, namespace, found)
    }

    /// A Secret is asked for once, however many of its keys are wanted.
    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        let api = match self.api().await {
            Ok(api) => api,
            Err(error) => return items.iter().map(|_| Err(error.clone())).collect(),
        };
        let paths: Vec<_> = items.iter().map(parse).collect();
        let of =
            |path: &Path<'_>| (path.namespace.unwrap_or(&api.namespace).to_owned(), path.name.to_owned());
        let secrets: BTreeSet<_> = paths.iter().flatten().map(of).collect();
        let found = join_all(secrets.iter().map(|(namespace, name)| api.get(namespace, name))).await;
        let found: BTreeMap<_, _> = secrets.iter().cloned().zip(found).collect();
        let pick = |path: Path<'_>| {
            let secret = of(&path);
            pick(&path, &secret.0, found[&secret].clone()?)
        };
        paths.into_iter().map(|path| path.and_then(pick)).collect()
    }

    /// Which keys a Secret has can't be asked without its values: they are wiped at once.
    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        let found = self.get_many(items).await;
        found.into_iter().map(|answer| answer.map(|(_, metadata)| metadata)).collect()
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        self.write(path, value, remark).await
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        self.remove(path).await
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let api = self.api().await?;
        let mut all = Vec::new();
        for row in api.list(&api.namespace).await? {
            let name = row.written.metadata.name.clone().unwrap_or_default();
            let path = Path { namespace: None, name: &name, key: None };
            // A note and an expiry are those of a key.
            let of = |key: &str| {
                let metadata = metadata_of(&path, &api.namespace, key, &row.written);
                Metadata { place: provenance(&path, &api.namespace, key), ..metadata }
            };
            match row.keys.as_slice() {
                [] => all.push((name.clone(), of(""))),
                [key] => all.push((name.clone(), of(key))),
                keys => all.extend(keys.iter().map(|key| (format!("{name}#{key}"), of(key)))),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Kubernetes {
        Kubernetes::new(Setup::default())
    }

    fn found(keys: &[&str]) -> Found {
        let data = keys.iter().map(|&key| (key.to_owned(), SecretValue::new(b"hunter2!".to_vec()))).collect();
        Found { written: Written::default(), data }
    }

    #[test]
    fn a_property_is_a_key_and_a_pointer_goes_on_inside_it() {
        let member = |property| source().member("ns/app", property).map(|found| (found.path, found.rest));
        assert_eq!(member("url"), Some(("ns/app#url".to_owned(), Vec::new())));
        assert_eq!(member("/url"), Some(("ns/app#url".to_owned(), Vec::new())));
        assert_eq!(member("/c.json/db/0"), Some(("ns/app#c.json".to_owned(), vec!["/db/0".to_owned()])));
        assert_eq!(source().member("app#key", "url"), None);
    }

    #[test]
    fn a_name_becomes_a_secret_and_a_key() {
        let of = |name: &str| source().candidates(&name.parse().unwrap()).remove(0);
        assert_eq!(of("huggingface/token"), "huggingface#token");
        assert_eq!(of("Team_A/db/url"), "team-a-db#url");
        assert_eq!(of("proxy"), "proxy");
        assert_eq!(source().property_spelling(&"team/db.url".parse().unwrap()), "team-db.url");
    }

    #[test]
    fn of_several_keys_one_must_be_named() {
        let path = Path::parse("ns/app").unwrap();
        let (value, _) = pick(&path, "ns", found(&["only"])).unwrap();
        assert!(value.is_same(&SecretValue::new(b"hunter2!".to_vec())));
        let error = pick(&path, "ns", found(&["a", "b"])).unwrap_err().to_string();
        assert_eq!(error, "the Secret `ns/app` has the keys `a`, `b`: name one, as in `kubernetes:ns/app#a`");
        assert_eq!(pick(&path, "ns", found(&[])).unwrap_err(), SourceError::Missing);
        let path = Path::parse("ns/app#c").unwrap();
        assert_eq!(pick(&path, "ns", found(&["a", "b"])).unwrap_err(), SourceError::Missing);
    }
}
