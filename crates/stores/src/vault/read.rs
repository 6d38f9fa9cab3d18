//! Reading: a record of a key-value engine, or what another engine makes.

use std::sync::Arc;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::Lease;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::no_versions;

use crate::vault::VaultSource;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::kv::Engine;
use crate::vault::kv::Part;
use crate::vault::kv::RecordMetadata;
use crate::vault::kv::RecordPath;
use crate::vault::leased_record::Cell;
use crate::vault::leased_record::LeasedRecord;

/// An answer, and the leased record that it belongs to.
struct Found {
    record_path: RecordPath,
    reply: Arc<Reply>,
    leased: Option<Arc<Cell>>,
}

impl VaultSource {
    async fn ask(&self, record_path: &RecordPath, version: Option<u64>) -> Result<Reply, SourceError> {
        let number = version.map(|version| version.to_string());
        let query = number.as_deref().map(|number| ("version", number));
        self.0.call(Request { query, ..Request::get(&record_path.data()) }).await
    }

    /// Reads a record without versions; the answer is a success.
    pub(super) async fn read(&self, record_path: &RecordPath) -> Result<Reply, SourceError> {
        let reply = self.ask(record_path, None).await?;
        self.0.success(reply, "read", &record_path.data()).await
    }

    /// Reads a path where reading may make something.
    async fn borrow(&self, mut record_path: RecordPath) -> Result<Found, SourceError> {
        let cell = self.0.lease(&record_path.data()).await?;
        let leased = cell.get().expect("it was leased");
        let reply = Arc::clone(&leased.reply);
        if record_path.mount.engine == Engine::Unknown {
            record_path.mount.engine = if leased.has_lease() { Engine::Dynamic } else { Engine::Kv1 };
        }
        let leased = (record_path.mount.engine == Engine::Dynamic).then_some(cell);
        Ok(Found { record_path, reply, leased })
    }

    /// The first of the possible paths that answers. Where the engine is a guess, one that is not there
    /// or not allowed may be another one.
    async fn find(&self, path: &str, version: Option<&str>) -> Result<Found, SourceError> {
        let paths = self.0.record_paths(path).await?;
        let is_guess = paths.len() > 1;
        let mut first = None;
        for record_path in paths {
            let answer = match record_path.mount.engine {
                Engine::Kv2 => match self.versioned(record_path, version, is_guess).await {
                    Ok(None) => continue,
                    Ok(Some(found)) => Ok(found),
                    Err(error) => Err(error),
                },
                Engine::Unknown if version.is_some() => break,
                Engine::Unknown => self.borrow(record_path).await,
                Engine::Kv1 | Engine::Dynamic => {
                    no_versions(&format!("`{}`", record_path.mount.path), version)?;
                    if record_path.mount.engine == Engine::Dynamic {
                        self.borrow(record_path).await
                    } else {
                        let reply = self.read(&record_path).await.map(Arc::new);
                        reply.map(|reply| Found { record_path, reply, leased: None })
                    }
                }
            };
            match answer {
                Ok(found) => {
                    if is_guess {
                        self.0.remember(found.record_path.mount.clone()).await;
                    }
                    return Ok(found);
                }
                Err(error @ (SourceError::Missing | SourceError::NotAllowed { .. })) if is_guess => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(first.unwrap_or(error)),
            }
        }
        Err(first.unwrap_or(SourceError::Missing))
    }

    /// Reads a record that has versions; none where a guess was wrong and it is of another engine.
    async fn versioned(
        &self,
        record_path: RecordPath,
        version: Option<&str>,
        is_guess: bool,
    ) -> Result<Option<Found>, SourceError> {
        let number = self.number(&record_path, version).await?;
        let reply = self.ask(&record_path, number).await?;
        if is_guess && reply.status == 404 && !reply.is_missing() && !reply.has_no_mount() {
            return Ok(None);
        }
        if let Some(error) = record_path.removed(&reply) {
            return Err(error);
        }
        let reply = Arc::new(self.0.success(reply, "read", &record_path.data()).await?);
        Ok(Some(Found { record_path, reply, leased: None }))
    }

    /// The number of a version; none for the newest.
    async fn number(
        &self,
        record_path: &RecordPath,
        version: Option<&str>,
    ) -> Result<Option<u64>, SourceError> {
        match version {
            None | Some("latest") => Ok(None),
            Some("previous") => {
                let metadata = self.metadata(record_path).await?;
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

    pub(super) async fn metadata(&self, record_path: &RecordPath) -> Result<RecordMetadata, SourceError> {
        let path = record_path.metadata();
        let reply = self.0.call(Request::get(&path)).await?;
        let reply = self.0.success(reply, "read", &path).await?;
        match RecordMetadata::of_reply(&reply) {
            Some(metadata) => Ok(metadata),
            None => Err(self.0.client().await?.nonsense("its metadata has an unknown form")),
        }
    }

    pub(super) async fn value(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let Found { record_path, reply, leased } = self.find(path, version).await?;
        let value = record_path.value(&reply)?;
        let mut metadata = record_path.metadata_in(&reply);
        let client = self.0.client().await?;
        if client.is_open() {
            metadata.warnings.push(format!("{} is not encrypted: use `https://`", client.shown()));
        }
        if let Some(leased) = leased {
            metadata.place = format!("made by `{}`", record_path.shown());
            metadata.expires = leased.get().and_then(LeasedRecord::expires);
            metadata.lease = Some(Lease::new(leased));
        }
        Ok((value, metadata))
    }

    /// What is known of an item, without making one.
    pub(super) async fn seen(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        match self.0.record_paths(path).await?.as_slice() {
            [record_path] if record_path.mount.engine == Engine::Dynamic => {
                no_versions(&format!("`{}`", record_path.mount.path), version)?;
                Ok(unproven(record_path))
            }
            [record_path]
                if record_path.mount.engine == Engine::Kv2
                    && !matches!(record_path.part, Part::Key(_))
                    && version != Some("previous") =>
            {
                let number = self.number(record_path, version).await?;
                match self.metadata(record_path).await {
                    Ok(metadata) => metadata.of_version(record_path, number),
                    Err(SourceError::NotAllowed { .. }) => self.read_to_locate(path, version).await,
                    Err(error) => Err(error),
                }
            }
            [versioned, other] => self.guessed(versioned, other, version).await,
            _ => self.read_to_locate(path, version).await,
        }
    }

    async fn read_to_locate(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        self.value(path, version).await.map(|(_, metadata)| metadata)
    }

    /// The same where the engine is not known: what may make something is not read.
    async fn guessed(
        &self,
        versioned: &RecordPath,
        other: &RecordPath,
        version: Option<&str>,
    ) -> Result<Metadata, SourceError> {
        let error = match self.versioned(versioned.clone(), version, true).await {
            Ok(Some(Found { record_path, reply, .. })) => {
                let metadata = record_path.value(&reply).map(|_| record_path.metadata_in(&reply));
                self.0.remember(record_path.mount).await;
                return metadata;
            }
            Ok(None) => SourceError::Missing,
            Err(error @ (SourceError::Missing | SourceError::NotAllowed { .. })) => error,
            Err(error) => return Err(error),
        };
        let is_unproven = version.is_none() && self.0.may_read(&other.data()).await?;
        if is_unproven { Ok(unproven(other)) } else { Err(error) }
    }
}

fn unproven(record_path: &RecordPath) -> Metadata {
    Metadata {
        place: format!("made by `{}`", record_path.shown()),
        unproven: true,
        is_made: true,
        ..Metadata::default()
    }
}
