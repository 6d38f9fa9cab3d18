//! Writing and removing records: one key of a record at a time, the others stay as they are.

use crate::secret::SecretValue;
use crate::secret::source::Facts;
use crate::secret::source::Remark;
use crate::secret::source::SourceError;
use crate::secret::source::vault::VaultSource;
use crate::secret::source::vault::client::Reply;
use crate::secret::source::vault::client::Request;
use crate::secret::source::vault::client::Verb;
use crate::secret::source::vault::kv;
use crate::secret::source::vault::kv::Engine;
use crate::secret::source::vault::kv::Place;
use crate::secret::source::vault::login;

/// Names and values.
type Members = Vec<(String, SecretValue)>;

impl VaultSource {
    /// The place of a path that is written to: an engine that keeps what it is given.
    pub(super) async fn for_writing(&self, path: &str) -> Result<Place, SourceError> {
        let place = self.0.places(path).await?.into_iter().next().ok_or(SourceError::Missing)?;
        if place.mount.engine == Engine::Dynamic {
            return Err(SourceError::unfit(format!("`{}` keeps no secrets of others", place.mount.path)));
        }
        Ok(place)
    }

    /// Writes one key of a record and leaves the others as they are.
    pub(super) async fn write(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Facts, SourceError> {
        let place = self.for_writing(path).await?;
        let key = place.key.clone().unwrap_or_else(|| kv::VALUE.to_owned());
        let whole = Place { key: None, ..place.clone() };
        let (members, version) = match self.read(&whole, None).await {
            Ok(reply) => Self::members(&whole, &reply)?,
            Err(SourceError::Missing) => (Vec::new(), None),
            Err(error) => return Err(error),
        };
        if place.key.is_none() && members.iter().any(|(name, _)| *name != key) {
            let names: Vec<String> = members.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(SourceError::unfit(format!(
                "the record `{}` has the keys {}: name one, as in `{}#{}`",
                place.shown(),
                names.join(", "),
                place.shown(),
                members[0].0
            )));
        }
        let mut fields: Vec<(&str, &SecretValue)> =
            members.iter().filter(|(name, _)| *name != key).map(|(name, old)| (name.as_str(), old)).collect();
        fields.push((&key, value));
        let record = login::object(&fields)?;
        let is_kv2 = place.mount.engine == Engine::Kv2;
        let body = if is_kv2 {
            // With `cas` a write of somebody else in between is refused rather than lost.
            let cas = version.unwrap_or(0);
            let mut body = zeroize::Zeroizing::new(Vec::with_capacity(record.len() + 64));
            body.extend_from_slice(format!("{{\"options\":{{\"cas\":{cas}}},\"data\":").as_bytes());
            body.extend_from_slice(&record);
            body.push(b'}');
            body
        } else {
            record
        };
        let path = place.data();
        let reply = self.0.call(Request::put(&path, &body)).await?;
        let reply = self.success(reply, "update", &path).await?;
        let mut facts = Facts {
            place: format!("record `{}`", place.shown()),
            created: reply.text(&["data", "created_time"]).and_then(|time| time.parse().ok()),
            version: reply.text(&["data", "version"]),
            ..Facts::default()
        };
        if remark.note.is_some() || remark.expires.is_some() {
            self.remark(&place, remark, &mut facts).await?;
        }
        Ok(facts)
    }

    /// The members of a record that are texts, and its version.
    fn members(place: &Place, reply: &Reply) -> Result<(Members, Option<u64>), SourceError> {
        let version = reply.number(&["data", "metadata", "version"]);
        let path: &[&str] = if place.mount.engine == Engine::Kv2 { &["data", "data"] } else { &["data"] };
        let Some(record) = reply.member(path) else { return Ok((Vec::new(), version)) };
        let names = kv::keys(&record).ok_or(SourceError::Missing)?;
        let mut members = Vec::new();
        for name in names {
            let mut whole = path.to_vec();
            whole.push(&name);
            if let Some(value) = reply.member(&whole) {
                members.push((name, value));
            }
        }
        Ok((members, version))
    }

    async fn remark(&self, place: &Place, remark: &Remark, facts: &mut Facts) -> Result<(), SourceError> {
        if place.mount.engine != Engine::Kv2 {
            facts.warnings.push(format!(
                "`{}` keeps no note and no expiry: the value alone was written",
                place.mount.path
            ));
            return Ok(());
        }
        let mut custom = serde_json::Map::new();
        if let Some(note) = &remark.note {
            custom.insert(kv::NOTE.to_owned(), note.as_str().into());
        }
        if let Some(expires) = remark.expires {
            custom.insert(kv::EXPIRES.to_owned(), expires.to_string().into());
        }
        let body = serde_json::json!({ "custom_metadata": custom }).to_string();
        let path = place.metadata();
        let reply = self.0.call(Request::put(&path, body.as_bytes())).await?;
        match self.success(reply, "update", &path).await {
            Ok(_) => {
                facts.note.clone_from(&remark.note);
                facts.expires = remark.expires;
            }
            Err(error) => facts.warnings.push(format!("the note and the expiry were not written: {error}")),
        }
        Ok(())
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let place = self.for_writing(path).await?;
        if place.key.is_some() {
            return Err(SourceError::unfit("a record is removed as a whole: leave the `#key` out"));
        }
        // The server says yes to the removal of what is not there.
        if place.mount.engine == Engine::Kv2 {
            self.metadata(&place).await?;
        } else {
            self.read(&place, None).await?;
        }
        let path = place.metadata();
        let reply = self.0.call(Request { method: Verb::Delete, ..Request::get(&path) }).await?;
        self.success(reply, "delete", &path).await.map(drop)
    }
}
