//! Writing and removing records: one key of a record at a time, the others stay as they are.

use serde_json::Map;
use serde_json::Value;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::SourceError;

use crate::vault::VaultSource;
use crate::vault::body;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::kv;
use crate::vault::kv::Engine;
use crate::vault::kv::Part;
use crate::vault::kv::RecordPath;

/// What is there before a write.
#[derive(Default)]
struct Before {
    record: Option<SecretValue>,
    /// The newest version, 0 where there is none; of a record with versions.
    version: u64,
    /// What is written beside a record with versions, by us and by others.
    custom: Map<String, Value>,
}

impl Before {
    fn of_reply(record_path: &RecordPath, reply: &Reply) -> Self {
        Self {
            record: reply.member(record_path.within()),
            version: reply.number(&["data", "metadata", "version"]).unwrap_or(0),
            custom: map(reply.json(&["data", "metadata", "custom_metadata"])),
        }
    }
}

fn map(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// What is to be written beside a record.
fn remarked(mut custom: Map<String, Value>, remark: &Remark) -> Map<String, Value> {
    for (name, text) in remark.texts(kv::NOTE, kv::EXPIRES) {
        match text {
            Some(text) => custom.insert(name.to_owned(), text.into()),
            None => custom.shift_remove(name),
        };
    }
    custom
}

impl VaultSource {
    /// Where a path is written to: an engine that keeps what it is given.
    pub(super) async fn for_writing(&self, path: &str) -> Result<RecordPath, SourceError> {
        let record_path = self.0.record_paths(path).await?.into_iter().next().ok_or(SourceError::Missing)?;
        if record_path.mount.engine == Engine::Dynamic {
            return Err(SourceError::unfit(format!(
                "`{}` keeps no secrets of others",
                record_path.mount.path
            )));
        }
        Ok(record_path)
    }

    async fn before(&self, record_path: &RecordPath) -> Result<Before, SourceError> {
        let path = record_path.data();
        let reply = self.0.call(Request::get(&path)).await?;
        let before = Before::of_reply(record_path, &reply);
        // A newest version that was deleted has a number, too.
        if reply.status == 404 && before.version > 0 {
            return Ok(Before { record: None, ..before });
        }
        match self.0.success(reply, "read", &path).await {
            Ok(_) => Ok(before),
            Err(SourceError::Missing) => Ok(Before::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes one key of a record and leaves the others as they are.
    pub(super) async fn write(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let record_path = self.for_writing(path).await?;
        let before = self.before(&record_path).await?;
        // All of it is sent again.
        if let Some(record) = &before.record {
            self.0.setup.logins.send(record);
        }
        let record = match &record_path.part {
            Part::Key(key) => body::record(before.record.as_ref(), key, value)?,
            Part::Plain | Part::Whole => {
                if let Some(document) = document(value) {
                    document
                } else {
                    let key = only_key(&record_path, before.record.as_ref())?;
                    body::record(before.record.as_ref(), key, value)?
                }
            }
        };
        let is_versioned = record_path.mount.engine == Engine::Kv2;
        let body = if is_versioned {
            // With `cas` another write in between is refused rather than lost.
            let head = format!("{{\"options\":{{\"cas\":{}}},\"data\":", before.version);
            let mut body = Zeroizing::new(Vec::with_capacity(head.len() + record.len() + 1));
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&record);
            body.push(b'}');
            body
        } else {
            record
        };
        let path = record_path.data();
        let reply = self.0.call(Request::put(&path, &body)).await?;
        let reply = self.0.success(reply, "update", &path).await?;
        let mut metadata = Metadata {
            place: format!("record `{}`", record_path.shown()),
            created: reply.text(&["data", "created_time"]).and_then(|time| time.parse().ok()),
            version: reply.text(&["data", "version"]),
            ..Metadata::default()
        };
        if is_versioned {
            self.remark(&record_path, before.custom, remark, &mut metadata).await;
        } else if !remark.is_empty() {
            metadata.warnings.push(format!(
                "`{}` stores neither note nor expiry: only the value was written",
                record_path.mount.path
            ));
        }
        Ok(metadata)
    }

    /// Writes the remark beside the record, if another one is there.
    async fn remark(
        &self,
        record_path: &RecordPath,
        known: Map<String, Value>,
        remark: &Remark,
        metadata: &mut Metadata,
    ) {
        if remark.is_empty() && remarked(known.clone(), remark) == known {
            return;
        }
        match self.put_remark(record_path, known, remark).await {
            Ok(()) => {
                metadata.note.clone_from(&remark.note);
                metadata.expires = remark.expires;
            }
            Err(error) => metadata.warnings.push(remark.unwritten(&error)),
        }
    }

    async fn put_remark(
        &self,
        record_path: &RecordPath,
        known: Map<String, Value>,
        remark: &Remark,
    ) -> Result<(), SourceError> {
        let path = record_path.metadata();
        // It is replaced as a whole, and what others have written there must stay.
        let reply = self.0.call(Request::get(&path)).await?;
        let custom = match self.0.success(reply, "read", &path).await {
            Ok(reply) => map(reply.json(&["data", "custom_metadata"])),
            Err(SourceError::NotAllowed { .. }) => known,
            Err(error) => return Err(error),
        };
        let body = serde_json::json!({ "custom_metadata": remarked(custom, remark) }).to_string();
        let reply = self.0.call(Request::put(&path, body.as_bytes())).await?;
        self.0.success(reply, "update", &path).await.map(drop)
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let record_path = self.for_writing(path).await?;
        if let Part::Key(key) = &record_path.part {
            let path = record_path.shown();
            return Err(SourceError::unfit(format!(
                "it is one key of the record `{path}`, which Doppio removes only as a whole: run `vault kv patch \
                 -remove-data={key} {path}` (or `bao kv patch …`); older versions of the record keep it"
            )));
        }
        // The server accepts the removal of what does not exist.
        let found = if record_path.mount.engine == Engine::Kv2 {
            self.metadata(&record_path).await.map(drop)
        } else {
            self.read(&record_path).await.map(drop)
        };
        match found {
            // Who may remove it need not have the right to look at it.
            Ok(()) | Err(SourceError::NotAllowed { .. }) => {}
            Err(error) => return Err(error),
        }
        let path = record_path.metadata();
        let reply = self.0.call(Request { method: "DELETE", ..Request::get(&path) }).await?;
        self.0.success(reply, "delete", &path).await.map(drop)
    }
}

/// A value that is a record by itself: a JSON object with keys of its own, each once.
#[expect(clippy::disallowed_methods, reason = "the keys of a record are read out of its text")]
fn document(value: &SecretValue) -> Option<Zeroizing<Vec<u8>>> {
    let mut keys = kv::keys(value).filter(|keys| !keys.is_empty() && keys != &[kv::VALUE])?;
    keys.sort_unstable();
    let is_once = keys.windows(2).all(|pair| pair[0] != pair[1]);
    is_once.then(|| value.reveal(|text| Zeroizing::new(text.to_vec())))
}

/// The key that is meant where none is named: of a record with other keys one must be.
fn only_key(record_path: &RecordPath, record: Option<&SecretValue>) -> Result<&'static str, SourceError> {
    let keys = record.and_then(kv::keys).unwrap_or_default();
    if keys.iter().all(|key| key == kv::VALUE) {
        return Ok(kv::VALUE);
    }
    let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let path = record_path.shown();
    Err(SourceError::unfit(format!(
        "the record `{path}` has the keys {}: name one, as in `{path}#{}`",
        names.join(", "),
        keys[0]
    )))
}
