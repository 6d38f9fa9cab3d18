//! `HashiCorp` Vault and `OpenBao`: `vault:MOUNT/PATH#key`.
//!
//! A record of the key-value engines is a JSON object; a record whose only key is `value` reads
//! as that value. Any other engine that answers a read gives what it makes: credentials with a
//! lease, which lasts as long as somebody needs them.
//!
//! Answers are kept in memory that is wiped. What can't be wiped are the buffers of TLS and HTTP
//! through which they come, and the copy of a value that the HTTP client sends.

mod api;
mod body;
mod client;
mod kv;
mod lease;
mod leased_record;
mod list;
mod login;
mod mounts;
mod read;
mod renewal;
mod session;
mod standing;
mod write;

use std::sync::Arc;
use std::sync::PoisonError;

use async_trait::async_trait;

use doppio_secrets::SecretValue;
use doppio_secrets::source;
use doppio_secrets::source::Answer;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Member;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::vault::api::Api;
use crate::vault::kv::Engine;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(VaultSource(Arc::new(Api::new(setup)))) };

static KIND: Kind = Kind {
    scheme: "vault",
    summary: "HashiCorp Vault or OpenBao: `vault:MOUNT/PATH#key`",
    writes: true,
    versions: true,
    remote: Some(RemoteKind { deadline: DEADLINE, batch: 1, keys: KEYS }),
};

const KEYS: &[Key] = &[
    Key { name: "address", form: KeyType::Text, doc: "the server, `https://HOST:8200`; else `VAULT_ADDR`" },
    Key { name: "namespace", form: KeyType::Text, doc: "the namespace; else `VAULT_NAMESPACE`" },
    Key {
        name: "ca_cert",
        form: KeyType::Path,
        doc: "the authority of its certificate, in PEM; else `VAULT_CACERT`",
    },
    Key {
        name: "auth",
        form: KeyType::Choice(&["token", "approle", "jwt", "kubernetes"]),
        doc: "how to log in; `token` unless set",
    },
    Key {
        name: "auth_mount",
        form: KeyType::Text,
        doc: "where the login method is mounted; its own name unless set",
    },
    Key {
        name: "token",
        form: KeyType::Reference,
        doc: "the token; else `VAULT_TOKEN`, then `~/.vault-token`",
    },
    Key { name: "role_id", form: KeyType::Reference, doc: "of an AppRole; else `VAULT_ROLE_ID`" },
    Key { name: "secret_id", form: KeyType::Reference, doc: "of an AppRole; else `VAULT_SECRET_ID`" },
    Key {
        name: "role",
        form: KeyType::Text,
        doc: "the role of a login by JWT or Kubernetes; else `VAULT_ROLE`",
    },
    Key { name: "jwt", form: KeyType::Reference, doc: "the token of a login by JWT" },
    Key {
        name: "jwt_path",
        form: KeyType::Path,
        doc: "the file of that token; else `VAULT_JWT_PATH`, for Kubernetes the pod's own",
    },
];

/// The source `vault`.
#[derive(Debug)]
struct VaultSource(Arc<Api>);

#[async_trait]
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

    /// Its first part is the mount.
    fn candidates(&self, name: &SecretName) -> Vec<String> {
        name.as_str().contains('/').then(|| name.to_string()).into_iter().collect()
    }

    /// A key of the record, whatever else is in it. The record is read as a whole, so that all
    /// keys that are wanted of it belong together.
    fn member(&self, path: &str, property: &str) -> Option<Member> {
        let (key, rest) = Member::split(property);
        (!path.contains('#')).then(|| Member {
            path: format!("{path}#"),
            rest: std::iter::once(pointer(&key)).chain(rest).collect(),
        })
    }

    fn member_to_write(&self, path: &str, property: &str) -> Option<String> {
        let (key, rest) = Member::split(property);
        (rest.is_none() && !path.contains('#')).then(|| format!("{path}#{key}"))
    }

    fn whole(&self, path: &str) -> String {
        if path.contains('#') { path.to_owned() } else { format!("{path}#") }
    }

    /// A key of a record would stay in its versions: what goes beside it is a record of its own.
    fn beside(&self, path: &str, role: &str) -> Option<String> {
        let (record, key) = path.split_once('#')?;
        (!key.is_empty()).then(|| format!("{record}.{}.{role}", key.replace('/', "-")))
    }

    /// It knows by itself which versions of a record can be read.
    fn own_word(&self, version: &str) -> Option<&'static str> {
        (version == source::PREVIOUS).then_some(source::PREVIOUS)
    }

    fn remedy(&self, path: &str) -> String {
        let path = path.split('#').next().unwrap_or(path);
        format!(
            "run {} (or `bao kv put …`) with the value on stdin, or {}",
            typed(["vault", "kv", "put", path, "KEY=-"]),
            typed(["doppio", "secret", "set", path, "--in", "vault"])
        )
    }

    fn remedy_of_member(&self, path: &str, property: &str) -> Option<String> {
        let (key, rest) = Member::split(property);
        let words = "(or `bao kv patch …`) with the value on stdin";
        let command = || typed(["vault", "kv", "patch", path, &format!("{key}=-")]);
        rest.is_none().then(|| format!("run {} {words}", command()))
    }

    async fn check(&self) -> Answer<()> {
        self.0.check().await
    }

    async fn acts(&self, path: &str) -> Answer<bool> {
        let may_act = |engine| matches!(engine, Engine::Dynamic | Engine::Unknown);
        Ok(self.0.record_paths(path).await?.iter().any(|path| may_act(path.mount.engine)))
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        self.value(path, version).await
    }

    /// By the metadata, where a policy allows to read that; a dynamic secret is not made.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        self.seen(path, version).await
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        self.write(path, value, remark).await
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        self.remove(path).await
    }

    fn unlisted(&self) -> Option<SourceError> {
        self.0.unlisted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        self.all().await
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let record_path = self.for_writing(path).await?;
        if record_path.mount.engine == Engine::Kv1 {
            return Err(SourceError::unfit(format!("`{}` keeps no versions", record_path.mount.path)));
        }
        Ok(self.metadata(&record_path).await?.versions)
    }

    async fn close(&self) -> Answer<()> {
        self.0.close().await
    }
}

/// A key as the JSON pointer to it (RFC 6901): one that begins with `/` must not be taken for one.
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
