//! `HashiCorp` Vault and `OpenBao`: `vault:MOUNT/PATH#key`.
//!
//! A record of the key-value engines is a JSON object; a record whose only key is `value` reads
//! as that value. Any other engine that answers a read gives what it makes: credentials with a
//! lease, which lasts as long as the run.
//!
//! Answers are kept in memory that is wiped. What can't be wiped are the buffers of TLS and HTTP
//! through which they come, and the copy of a value that the HTTP client sends.

mod client;
mod door;
mod kv;
mod lease;
mod list;
mod login;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;

use crate::secret::SecretValue;
use crate::secret::source::Answer;
use crate::secret::source::DEADLINE;
use crate::secret::source::Facts;
use crate::secret::source::Form;
use crate::secret::source::Key;
use crate::secret::source::Kind;
use crate::secret::source::Remark;
use crate::secret::source::RemoteKind;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::source::Version;
use crate::secret::source::no_versions;
use crate::secret::source::vault::client::Reply;
use crate::secret::source::vault::client::Request;
use crate::secret::source::vault::door::Door;
use crate::secret::source::vault::kv::Engine;
use crate::secret::source::vault::kv::Metadata;
use crate::secret::source::vault::kv::Place;

pub(super) static KIND: Kind = Kind {
    scheme: "vault",
    summary: "HashiCorp Vault or OpenBao: `vault:MOUNT/PATH#key`",
    writes: true,
    versions: true,
    remote: Some(RemoteKind {
        open: |setup| Arc::new(VaultSource(Arc::new(Door::new(setup)))),
        deadline: DEADLINE,
        batch: 1,
        keys: KEYS,
    }),
};

const KEYS: &[Key] = &[
    Key { name: "address", form: Form::Text, doc: "the server, `https://HOST:8200`; else `VAULT_ADDR`" },
    Key { name: "namespace", form: Form::Text, doc: "the namespace; else `VAULT_NAMESPACE`" },
    Key {
        name: "ca_cert",
        form: Form::Path,
        doc: "the authority of its certificate, in PEM; else `VAULT_CACERT`",
    },
    Key {
        name: "auth",
        form: Form::Choice(&["token", "approle", "jwt", "kubernetes"]),
        doc: "how to log in; `token` unless set",
    },
    Key {
        name: "auth_mount",
        form: Form::Text,
        doc: "where the login method is mounted; its own name unless set",
    },
    Key { name: "token", form: Form::Reference, doc: "the token; else `VAULT_TOKEN`, then `~/.vault-token`" },
    Key { name: "role_id", form: Form::Reference, doc: "of an AppRole; else `VAULT_ROLE_ID`" },
    Key { name: "secret_id", form: Form::Reference, doc: "of an AppRole; else `VAULT_SECRET_ID`" },
    Key {
        name: "role",
        form: Form::Text,
        doc: "the role of a login by JWT or Kubernetes; else `VAULT_ROLE`",
    },
    Key { name: "jwt", form: Form::Reference, doc: "the token of a login by JWT" },
    Key {
        name: "jwt_path",
        form: Form::Path,
        doc: "the file of that token; else `VAULT_JWT_PATH`, for Kubernetes the pod's own",
    },
];

/// The source `vault`.
#[derive(Debug)]
struct VaultSource(Arc<Door>);

impl VaultSource {
    /// Reads a place; the answer is a success.
    async fn read(&self, place: &Place, version: Option<u64>) -> Result<Reply, SourceError> {
        let path = place.data();
        let number = version.map(|version| version.to_string());
        let query = number.as_deref().map(|number| ("version", number));
        let reply = self.0.call(Request { query, ..Request::get(&path) }).await?;
        self.success(reply, "read", &path).await
    }

    /// Sorts the failures out.
    async fn success(&self, reply: Reply, deed: &str, path: &str) -> Result<Reply, SourceError> {
        let client = self.0.client().await?;
        match reply.status {
            200 | 204 => Ok(reply),
            403 => Err(self.0.denied(deed, path).await),
            404 => {
                // No mount there is another thing than nothing in it, and `errors` is what a Vault
                // always has.
                let words = reply.words();
                if words.contains("no handler for route") {
                    return Err(SourceError::unreachable(
                        format!("{} has no engine mounted at `{path}`", client.shown()),
                        "look at `vault secrets list`: the first part of the path is the mount",
                    ));
                }
                if reply.json(&["errors"]).is_none() && reply.json(&["data"]).is_none() {
                    return Err(client.nonsense("status 404 without its form"));
                }
                Err(SourceError::Missing)
            }
            _ => Err(client.refused(&reply)),
        }
    }

    /// The first place of a path that answers. Where the engine is a guess, one that is not there
    /// or not allowed may be the other one.
    async fn find(&self, path: &str, version: Option<&str>) -> Result<(Place, Reply), SourceError> {
        let places = self.0.places(path).await?;
        let is_guess = places.len() > 1;
        let mut first = None;
        for place in places {
            let number = match place.mount.engine {
                Engine::Kv2 => self.number(&place, version).await?,
                Engine::Kv1 | Engine::Dynamic if is_guess && version.is_some() => break,
                Engine::Kv1 | Engine::Dynamic => {
                    no_versions(&format!("`{}`", place.mount.path), version).map(|()| None)?
                }
            };
            match self.read(&place, number).await {
                Ok(reply) => {
                    if is_guess {
                        self.0.remember(&place.mount).await;
                    }
                    return Ok((place, reply));
                }
                Err(error @ (SourceError::Missing | SourceError::NotAllowed { .. })) if is_guess => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(first.unwrap_or(error)),
            }
        }
        Err(first.unwrap_or(SourceError::Missing))
    }

    /// The number of a version; none for the newest.
    async fn number(&self, place: &Place, version: Option<&str>) -> Result<Option<u64>, SourceError> {
        match version {
            None | Some("latest") => Ok(None),
            Some("previous") => {
                let metadata = self.metadata(place).await?;
                let older = metadata.versions.iter().filter(|version| !version.current);
                let previous =
                    older.filter(|version| version.readable).find_map(|version| version.id.parse().ok());
                previous.map(Some).ok_or(SourceError::Missing)
            }
            Some(number) => number.parse().map(Some).map_err(|_| {
                SourceError::unfit("a version of a Vault record is a number, `latest` or `previous`")
            }),
        }
    }

    async fn metadata(&self, place: &Place) -> Result<Metadata, SourceError> {
        let path = place.metadata();
        let reply = self.0.call(Request::get(&path)).await?;
        let reply = self.success(reply, "read", &path).await?;
        match Metadata::of_reply(&reply) {
            Some(metadata) => Ok(metadata),
            None => Err(self.0.client().await?.nonsense("its metadata has another form")),
        }
    }

    async fn value(&self, path: &str, version: Option<&str>) -> Result<(SecretValue, Facts), SourceError> {
        let (place, reply) = self.find(path, version).await?;
        let value = place.value(&reply)?;
        let mut facts = place.facts(&reply);
        let client = self.0.client().await?;
        if client.is_open() {
            facts.warnings.push(format!("{} is not encrypted: use `https://`", client.shown()));
        }
        if place.mount.engine == Engine::Dynamic {
            self.borrow(&place, &reply, &mut facts);
        }
        Ok((value, facts))
    }

    /// Keeps the lease that came with a value.
    fn borrow(&self, place: &Place, reply: &Reply, facts: &mut Facts) {
        facts.place = format!("made by `{}`", place.shown());
        let id = reply.text(&["lease_id"]).filter(|id| !id.is_empty());
        let good_for = Duration::from_secs(reply.number(&["lease_duration"]).unwrap_or(0));
        if let Some(id) = id {
            self.0.leases.add(id.clone());
            if reply.text(&["renewable"]).as_deref() == Some("true") {
                lease::keep(&self.0, id, good_for);
            } else {
                facts.expires = Timestamp::now().checked_add(good_for).ok();
            }
        }
    }
}

impl Source for VaultSource {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        match self.0.shown() {
            Some(address) => format!("Vault at {address}"),
            None => "Vault".to_owned(),
        }
    }

    fn remedy(&self, path: &str) -> String {
        let path = path.split('#').next().unwrap_or(path);
        format!(
            "run `vault kv put {path} KEY=-` (or `bao kv put …`) with the value on stdin, or `doppio secret set {path} --in vault`"
        )
    }

    fn check(&self) -> Answer<'_, ()> {
        self.0.check().boxed()
    }

    fn acts<'a>(&'a self, path: &'a str) -> Answer<'a, bool> {
        async move {
            Ok(self.0.places(path).await?.iter().all(|place| place.mount.engine == Engine::Dynamic))
        }
        .boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)> {
        self.value(path, version).boxed()
    }

    /// By the metadata, where a policy allows to read that; a dynamic secret is not made.
    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Facts> {
        async move {
            let places = self.0.places(path).await?;
            if let [place] = places.as_slice() {
                match place.mount.engine {
                    Engine::Dynamic => {
                        no_versions(&format!("`{}`", place.mount.path), version)?;
                        let place = format!("made by `{}`", place.shown());
                        return Ok(Facts { place, unproven: true, ..Facts::default() });
                    }
                    Engine::Kv2 if place.key.is_none() && version != Some("previous") => {
                        let number = self.number(place, version).await?;
                        match self.metadata(place).await {
                            Ok(metadata) => return metadata.facts(place, number).ok_or(SourceError::Missing),
                            Err(SourceError::NotAllowed { .. }) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    _ => {}
                }
            }
            self.value(path, version).await.map(|(_, facts)| facts)
        }
        .boxed()
    }

    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Facts> {
        self.write(path, value, remark).boxed()
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.remove(path).boxed()
    }

    fn list(&self) -> Answer<'_, Vec<(String, Facts)>> {
        self.all().boxed()
    }

    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        async move {
            let place = self.for_writing(path).await?;
            if place.mount.engine == Engine::Kv1 {
                return Err(SourceError::unfit(format!("`{}` keeps no versions", place.mount.path)));
            }
            Ok(self.metadata(&place).await?.versions)
        }
        .boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        async {
            let revoked = lease::revoke(&self.0).await;
            self.0.leave().await.and(revoked)
        }
        .boxed()
    }
}
