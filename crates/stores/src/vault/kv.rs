//! The key-value engines, versions 1 and 2: where a path lies, and what is read and written there.

#![expect(clippy::disallowed_methods, reason = "the members of a record are read out of its text")]

use jiff::Timestamp;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;
use doppio_text::shell::typed;

use crate::vault::client::Reply;

/// What an engine is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Key-value without versions.
    Kv1,
    /// Key-value with versions.
    Kv2,
    /// Reading makes something: credentials with a lease, a one-time code.
    Dynamic,
    /// The server does not say: one without versions, or a dynamic one.
    Unknown,
}

/// A mounted engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// With its last `/`.
    pub path: String,
    pub engine: Engine,
}

/// A path: its mount, what is below it, and what is wanted of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordPath {
    pub mount: Mount,
    pub rest: String,
    pub part: Part,
}

/// What is wanted of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The record; where it has no other key, the value of [`VALUE`].
    Plain,
    /// The record as JSON, whatever its keys: `PATH#`.
    Whole,
    /// The value of a key: `PATH#KEY`.
    Key(String),
}

/// The one key of a record that is a plain secret: what `doppio secret set` writes.
pub(super) const VALUE: &str = "value";

impl Part {
    /// Cuts a path at its `#`.
    pub(super) fn split(path: &str) -> (&str, Self) {
        match path.split_once('#') {
            None => (path, Self::Plain),
            Some((path, "")) => (path, Self::Whole),
            Some((path, key)) => (path, Self::Key(key.to_owned())),
        }
    }
}

impl Mount {
    /// What the server says of a mount.
    pub(super) fn of_reply(reply: &Reply) -> Option<Self> {
        let path = reply.text(&["data", "path"])?;
        let kind = reply.text(&["data", "type"])?;
        let version = reply.text(&["data", "options", "version"]);
        Some(Self { path, engine: engine(&kind, version.as_deref()) })
    }

    /// Without the server's word: the first part of the path, with this engine.
    pub(super) fn guess(path: &str, engine: Engine) -> Self {
        let first = path.split('/').next().unwrap_or(path);
        Self { path: format!("{first}/"), engine }
    }

    /// What lies below this mount in a path.
    pub(super) fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.path).filter(|rest| !rest.is_empty())
    }
}

/// What a mount's type means.
pub(super) fn engine(kind: &str, version: Option<&str>) -> Engine {
    match (kind, version) {
        ("kv" | "generic", Some("2")) => Engine::Kv2,
        ("kv" | "generic" | "cubbyhole", _) => Engine::Kv1,
        _ => Engine::Dynamic,
    }
}

impl RecordPath {
    /// Where the values are read and written.
    pub(super) fn data(&self) -> String {
        match self.mount.engine {
            Engine::Kv2 => format!("{}data/{}", self.mount.path, self.rest),
            Engine::Kv1 | Engine::Dynamic | Engine::Unknown => format!("{}{}", self.mount.path, self.rest),
        }
    }

    /// Where the versions are told and the record is removed.
    pub(super) fn metadata(&self) -> String {
        match self.mount.engine {
            Engine::Kv2 => format!("{}metadata/{}", self.mount.path, self.rest),
            Engine::Kv1 | Engine::Dynamic | Engine::Unknown => self.data(),
        }
    }

    /// The path as the user writes it.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.mount.path, self.rest)
    }

    /// Where the record is in an answer.
    pub(super) fn within(&self) -> &'static [&'static str] {
        if self.mount.engine == Engine::Kv2 { &["data", "data"] } else { &["data"] }
    }

    /// What is wanted of the record of an answer.
    pub(super) fn value(&self, reply: &Reply) -> Result<SecretValue, SourceError> {
        let record = reply.member(self.within()).ok_or_else(|| {
            SourceError::unreachable(
                format!("the answer for `{}` contains no record, unlike a Vault server's", self.shown()),
                "check `VAULT_ADDR`, and any proxy in between",
            )
        })?;
        let member =
            |key: &str| record.reveal(|text| format::json_member(text, &[key])).ok_or(SourceError::Missing);
        match &self.part {
            Part::Key(key) => member(key),
            Part::Plain if keys(&record).is_some_and(|keys| keys == [VALUE]) => member(VALUE),
            Part::Plain | Part::Whole => Ok(record),
        }
    }

    /// What an answer without a record says of a version that was there.
    pub(super) fn removed(&self, reply: &Reply) -> Option<SourceError> {
        let of = |key: &str| reply.json(&["data", "metadata", key]);
        let number = of("version")?.as_u64().filter(|_| reply.status == 404)?;
        let is_destroyed = of("destroyed").and_then(|destroyed| destroyed.as_bool()) == Some(true);
        Some(self.gone(number, is_destroyed))
    }

    fn gone(&self, version: u64, is_destroyed: bool) -> SourceError {
        let shown = self.shown();
        if is_destroyed {
            return SourceError::not_allowed(
                format!("version {version} of `{shown}` was destroyed"),
                format!(
                    "its value is lost: see {} for others, or store a new one",
                    typed(["vault", "kv", "metadata", "get", &shown])
                ),
            );
        }
        SourceError::not_allowed(
            format!("version {version} of `{shown}` was deleted"),
            format!(
                "restore it with {}, or store a new one",
                typed(["vault", "kv", "undelete", &format!("-versions={version}"), &shown])
            ),
        )
    }

    /// What an answer says beside the record.
    pub(super) fn metadata_in(&self, reply: &Reply) -> Metadata {
        let of = |key: &str| reply.text(&["data", "metadata", key]).filter(|text| !text.is_empty());
        let custom = |key: &str| reply.text(&["data", "metadata", "custom_metadata", key]);
        Metadata {
            place: format!("record `{}`", self.shown()),
            created: of("created_time").and_then(|time| time.parse().ok()),
            expires: custom(EXPIRES).and_then(|time| time.parse().ok()),
            note: custom(NOTE),
            version: of("version"),
            ..Metadata::default()
        }
    }
}

/// Where `doppio secret set --note` is kept.
pub(super) const NOTE: &str = "doppio-note";

/// Where `doppio secret set --expires` is kept.
pub(super) const EXPIRES: &str = "doppio-expires";

/// The keys of a record.
pub(super) fn keys(record: &SecretValue) -> Option<Vec<String>> {
    record.reveal(|text| {
        let members = format::json_members(text)?;
        Some(members.into_iter().map(|(name, _)| name).collect())
    })
}

/// How a version is called whose value is lost.
const DESTROYED: &str = "destroyed";

/// What a version-2 engine says of a record without its values.
#[derive(Debug)]
pub(super) struct RecordMetadata {
    pub current: u64,
    /// The newest first.
    pub versions: Vec<Version>,
    custom: serde_json::Value,
}

impl RecordMetadata {
    pub(super) fn of_reply(reply: &Reply) -> Option<Self> {
        let data = reply.json(&["data"])?;
        let current = data.get("current_version")?.as_u64()?;
        let mut versions: Vec<(u64, Version)> = data
            .get("versions")?
            .as_object()?
            .iter()
            .filter_map(|(number, known)| {
                let text = |key: &str| known.get(key).and_then(serde_json::Value::as_str);
                let destroyed = known.get("destroyed").and_then(serde_json::Value::as_bool) == Some(true);
                // One that is to be deleted later, by `delete_version_after`, is there until then.
                let is_over =
                    |time: &str| time.parse().map_or(true, |time: Timestamp| time <= Timestamp::now());
                let deleted = text("deletion_time").is_some_and(|time| !time.is_empty() && is_over(time));
                let labels = [(destroyed, DESTROYED), (deleted && !destroyed, "deleted")];
                let number: u64 = number.parse().ok()?;
                let version = Version {
                    id: number.to_string(),
                    created: text("created_time").and_then(|time| time.parse().ok()),
                    labels: labels.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect(),
                    current: number == current,
                    readable: !destroyed && !deleted,
                };
                Some((number, version))
            })
            .collect();
        versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let versions = versions.into_iter().map(|(_, version)| version).collect();
        let custom = data.get("custom_metadata").cloned().unwrap_or_default();
        Some(Self { current, versions, custom })
    }

    /// What is known of a version.
    ///
    /// # Errors
    ///
    /// When there is none, or it can't be read any more.
    pub(super) fn of_version(
        &self,
        record_path: &RecordPath,
        version: Option<u64>,
    ) -> Result<Metadata, SourceError> {
        let number = version.unwrap_or(self.current);
        let wanted = number.to_string();
        let found = self.versions.iter().find(|version| version.id == wanted).ok_or(SourceError::Missing)?;
        if !found.readable {
            return Err(record_path.gone(number, found.labels.iter().any(|label| label == DESTROYED)));
        }
        let custom = |key: &str| self.custom.get(key).and_then(serde_json::Value::as_str);
        Ok(Metadata {
            place: format!("record `{}`", record_path.shown()),
            created: found.created,
            expires: custom(EXPIRES).and_then(|time| time.parse().ok()),
            note: custom(NOTE).map(str::to_owned),
            version: Some(wanted),
            ..Metadata::default()
        })
    }
}
