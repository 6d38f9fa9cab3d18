//! Reading: a record of a key-value engine, or what another engine makes.

use std::sync::Arc;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Lease;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::no_versions;

use crate::vault::VaultSource;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::kv::Engine;
use crate::vault::kv::Part;
use crate::vault::kv::Place;
use crate::vault::kv::RecordMetadata;
use crate::vault::loan::Cell;
use crate::vault::loan::Loan;

/// An answer, and the loan that it belongs to.
struct Found {
    place: Place,
    reply: Arc<Reply>,
    loan: Option<Arc<Cell>>,
}

impl VaultSource {
    async fn ask(&self, place: &Place, version: Option<u64>) -> Result<Reply, SourceError> {
        let number = version.map(|version| version.to_string());
        let query = number.as_deref().map(|number| ("version", number));
        self.0.call(Request { query, ..Request::get(&place.data()) }).await
    }

    /// Reads a place without versions; the answer is a success.
    pub(super) async fn read(&self, place: &Place) -> Result<Reply, SourceError> {
        let reply = self.ask(place, None).await?;
        self.0.success(reply, "read", &place.data()).await
    }

    /// Reads a place where reading may make something.
    async fn borrow(&self, mut place: Place) -> Result<Found, SourceError> {
        let cell = self.0.lend(&place.data()).await?;
        let loan = cell.get().expect("it was lent");
        let reply = Arc::clone(&loan.reply);
        if place.mount.engine == Engine::Unknown {
            place.mount.engine = if loan.has_lease() { Engine::Dynamic } else { Engine::Kv1 };
        }
        let loan = (place.mount.engine == Engine::Dynamic).then_some(cell);
        Ok(Found { place, reply, loan })
    }

    /// The first place of a path that answers. Where the engine is a guess, one that is not there
    /// or not allowed may be another one.
    async fn find(&self, path: &str, version: Option<&str>) -> Result<Found, SourceError> {
        let places = self.0.places(path).await?;
        let is_guess = places.len() > 1;
        let mut first = None;
        for place in places {
            let answer = match place.mount.engine {
                Engine::Kv2 => match self.versioned(place, version, is_guess).await {
                    Ok(None) => continue,
                    Ok(Some(found)) => Ok(found),
                    Err(error) => Err(error),
                },
                Engine::Unknown if version.is_some() => break,
                Engine::Unknown => self.borrow(place).await,
                Engine::Kv1 | Engine::Dynamic => {
                    no_versions(&format!("`{}`", place.mount.path), version)?;
                    if place.mount.engine == Engine::Dynamic {
                        self.borrow(place).await
                    } else {
                        let reply = self.read(&place).await.map(Arc::new);
                        reply.map(|reply| Found { place, reply, loan: None })
                    }
                }
            };
            match answer {
                Ok(found) => {
                    if is_guess {
                        self.0.remember(found.place.mount.clone()).await;
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
        place: Place,
        version: Option<&str>,
        is_guess: bool,
    ) -> Result<Option<Found>, SourceError> {
        let number = self.number(&place, version).await?;
        let reply = self.ask(&place, number).await?;
        if is_guess && reply.status == 404 && !reply.is_missing() && !reply.has_no_mount() {
            return Ok(None);
        }
        if let Some(fault) = place.removed(&reply) {
            return Err(fault);
        }
        let reply = Arc::new(self.0.success(reply, "read", &place.data()).await?);
        Ok(Some(Found { place, reply, loan: None }))
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

    pub(super) async fn metadata(&self, place: &Place) -> Result<RecordMetadata, SourceError> {
        let path = place.metadata();
        let reply = self.0.call(Request::get(&path)).await?;
        let reply = self.0.success(reply, "read", &path).await?;
        match RecordMetadata::of_reply(&reply) {
            Some(metadata) => Ok(metadata),
            None => Err(self.0.client().await?.nonsense("its metadata has an unknown form")),
        }
    }

    pub(super) async fn value(
        &self,
        path: &str,
        version: Option<&str>,
    ) -> Result<(SecretValue, Metadata), SourceError> {
        let Found { place, reply, loan } = self.find(path, version).await?;
        let value = place.value(&reply)?;
        let mut facts = place.facts(&reply);
        let client = self.0.client().await?;
        if client.is_open() {
            facts.warnings.push(format!("{} is not encrypted: use `https://`", client.shown()));
        }
        if let Some(loan) = loan {
            facts.place = format!("made by `{}`", place.shown());
            facts.expires = loan.get().and_then(Loan::expires);
            facts.lease = Some(Lease::new(loan));
        }
        Ok((value, facts))
    }

    /// What is known of an item, without making one.
    pub(super) async fn seen(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        match self.0.places(path).await?.as_slice() {
            [place] if place.mount.engine == Engine::Dynamic => {
                no_versions(&format!("`{}`", place.mount.path), version)?;
                Ok(unproven(place))
            }
            [place]
                if place.mount.engine == Engine::Kv2
                    && !matches!(place.part, Part::Key(_))
                    && version != Some("previous") =>
            {
                let number = self.number(place, version).await?;
                match self.metadata(place).await {
                    Ok(metadata) => metadata.facts(place, number),
                    Err(SourceError::NotAllowed { .. }) => self.facts(path, version).await,
                    Err(error) => Err(error),
                }
            }
            [versioned, other] => self.guessed(versioned, other, version).await,
            _ => self.facts(path, version).await,
        }
    }

    async fn facts(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        self.value(path, version).await.map(|(_, facts)| facts)
    }

    /// The same where the engine is not known: what may make something is not read.
    async fn guessed(
        &self,
        versioned: &Place,
        other: &Place,
        version: Option<&str>,
    ) -> Result<Metadata, SourceError> {
        let error = match self.versioned(versioned.clone(), version, true).await {
            Ok(Some(Found { place, reply, .. })) => {
                let facts = place.value(&reply).map(|_| place.facts(&reply));
                self.0.remember(place.mount).await;
                return facts;
            }
            Ok(None) => SourceError::Missing,
            Err(error @ (SourceError::Missing | SourceError::NotAllowed { .. })) => error,
            Err(error) => return Err(error),
        };
        let is_unproven = version.is_none() && self.0.may_read(&other.data()).await?;
        if is_unproven { Ok(unproven(other)) } else { Err(error) }
    }
}

fn unproven(place: &Place) -> Metadata {
    Metadata { place: format!("made by `{}`", place.shown()), unproven: true, ..Metadata::default() }
}
