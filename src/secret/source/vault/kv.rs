//! The key-value engines, versions 1 and 2: where a path lies, and what is read and written there.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::secret::SecretValue;
use crate::secret::property;
use crate::secret::source::Facts;
use crate::secret::source::SourceError;
use crate::secret::source::Version;
use crate::secret::source::vault::client::Reply;

/// What an engine is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Key-value without versions.
    Kv1,
    /// Key-value with versions.
    Kv2,
    /// Reading makes something: credentials with a lease, a one-time code.
    Dynamic,
}

/// A mounted engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// With its last `/`.
    pub path: String,
    pub engine: Engine,
}

/// A path of a reference: its mount, what is below it, and the key of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub mount: Mount,
    pub rest: String,
    /// Behind a `#` of the path itself; properties of a reference are not seen here.
    pub key: Option<String>,
}

/// The one key of a record that is a plain secret: what `doppio secret set` writes.
pub(super) const VALUE: &str = "value";

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

impl Place {
    /// Where the values are read and written.
    pub(super) fn data(&self) -> String {
        match self.mount.engine {
            Engine::Kv2 => format!("{}data/{}", self.mount.path, self.rest),
            Engine::Kv1 | Engine::Dynamic => format!("{}{}", self.mount.path, self.rest),
        }
    }

    /// Where the versions are told and the record is removed.
    pub(super) fn metadata(&self) -> String {
        match self.mount.engine {
            Engine::Kv2 => format!("{}metadata/{}", self.mount.path, self.rest),
            Engine::Kv1 | Engine::Dynamic => self.data(),
        }
    }

    /// The path as the user writes it.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.mount.path, self.rest)
    }

    /// The record of an answer: as JSON, or the plain text of a record that has nothing else.
    pub(super) fn value(&self, reply: &Reply) -> Result<SecretValue, SourceError> {
        let path: &[&str] = if self.mount.engine == Engine::Kv2 { &["data", "data"] } else { &["data"] };
        // A deleted version is there without its data.
        let record = reply.member(path).ok_or(SourceError::Missing)?;
        match &self.key {
            Some(key) => property::json_member(record.plain(), &[key]).ok_or(SourceError::Missing),
            None if keys(&record).is_some_and(|keys| keys == [VALUE]) => {
                property::json_member(record.plain(), &[VALUE]).ok_or(SourceError::Missing)
            }
            None => Ok(record),
        }
    }

    /// What an answer says beside the record.
    pub(super) fn facts(&self, reply: &Reply) -> Facts {
        let of = |key: &str| reply.text(&["data", "metadata", key]).filter(|text| !text.is_empty());
        let custom = |key: &str| reply.text(&["data", "metadata", "custom_metadata", key]);
        Facts {
            place: format!("record `{}`", self.shown()),
            created: of("created_time").and_then(|time| time.parse().ok()),
            expires: custom(EXPIRES).and_then(|time| time.parse().ok()),
            note: custom(NOTE),
            version: of("version"),
            ..Facts::default()
        }
    }
}

/// Where `doppio secret set --note` is kept.
pub(super) const NOTE: &str = "doppio-note";

/// Where `doppio secret set --expires` is kept.
pub(super) const EXPIRES: &str = "doppio-expires";

/// The keys of a record.
#[expect(clippy::zero_sized_map_values, reason = "the record is a map whose values nobody may read")]
pub(super) fn keys(record: &SecretValue) -> Option<Vec<String>> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(record.plain()).ok()?;
    Some(members.into_keys().collect())
}

/// What a version-2 engine says of a record without its values.
#[derive(Debug)]
pub(super) struct Metadata {
    pub current: u64,
    /// The newest first.
    pub versions: Vec<Version>,
    custom: serde_json::Value,
}

impl Metadata {
    pub(super) fn of_reply(reply: &Reply) -> Option<Self> {
        let data = reply.json(&["data"])?;
        let current = data.get("current_version")?.as_u64()?;
        let mut versions: Vec<(u64, Version)> = data
            .get("versions")?
            .as_object()?
            .iter()
            .filter_map(|(number, facts)| {
                let text = |key: &str| facts.get(key).and_then(serde_json::Value::as_str);
                let destroyed = facts.get("destroyed").and_then(serde_json::Value::as_bool) == Some(true);
                let deleted = text("deletion_time").is_some_and(|time| !time.is_empty());
                let labels = [(destroyed, "destroyed"), (deleted && !destroyed, "deleted")];
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

    /// The facts of a version, if it can be read.
    pub(super) fn facts(&self, place: &Place, version: Option<u64>) -> Option<Facts> {
        let wanted = version.unwrap_or(self.current).to_string();
        let found = self.versions.iter().find(|version| version.id == wanted && version.readable)?;
        let custom = |key: &str| self.custom.get(key).and_then(serde_json::Value::as_str);
        Some(Facts {
            place: format!("record `{}`", place.shown()),
            created: found.created,
            expires: custom(EXPIRES).and_then(|time| time.parse().ok()),
            note: custom(NOTE).map(str::to_owned),
            version: Some(wanted),
            ..Facts::default()
        })
    }
}
