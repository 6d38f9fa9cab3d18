//! The vault: one age file, for machines without a keychain and for what needs a history.

mod crypt;
mod encryption;
mod key;
mod records;
mod store;

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::sync::MutexGuard;

use doppio_text::name::InvalidName;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::SecretValue;
use crate::source;
use crate::source::Answer;
use crate::source::Item;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::NewItem;
use crate::source::Remark;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::contract::taken;
use crate::source::detached::detached;

pub use self::key::KeyOptions;

use self::key::Key;
use self::key::Keys;
use self::records::Record;
use self::records::Records;
use self::records::Version;

pub(super) static KIND: Kind = Kind {
    scheme: "file",
    summary: "the age vault, one encrypted file",
    writes: true,
    versions: true,
    remote: None,
};

/// How often a passphrase that is typed may be wrong.
const TRIES: usize = 3;

/// A vault file, which need not be there yet.
#[derive(Debug)]
pub struct AgeVault {
    path: PathBuf,
    keys: Keys,
    /// What was read last, so that a run opens the vault once.
    opened: Mutex<Option<Opened>>,
}

/// An open vault.
#[derive(Debug)]
struct Opened {
    /// The file's bytes: while they are the same, so are the records.
    bytes: Vec<u8>,
    key: Key,
    records: Records,
}

impl AgeVault {
    /// The vault in this file.
    pub fn new(path: PathBuf, keys: KeyOptions) -> Self {
        Self { path, keys: Keys::new(keys), opened: Mutex::new(None) }
    }

    /// Opens the vault unless it is open; none where there is no vault.
    async fn open(&self) -> Result<MutexGuard<'_, Option<Opened>>, SourceError> {
        let mut opened = self.opened.lock().await;
        let Some(bytes) = store::read(&self.path)? else {
            *opened = None;
            return Ok(opened);
        };
        if opened.as_ref().is_none_or(|opened| opened.bytes != bytes) {
            let key = opened.take().map(|opened| opened.key);
            *opened = Some(self.unlock(bytes, key).await?);
        }
        Ok(opened)
    }

    /// Opens the vault with the key that opened it before, else with one that may fit.
    async fn unlock(&self, bytes: Vec<u8>, key: Option<Key>) -> Result<Opened, SourceError> {
        let mut known = key;
        let mut tries = 1;
        loop {
            let keys = match known.take() {
                Some(key) => vec![key].into(),
                None => self.keys.for_opening(&self.path, &crypt::encryption(&self.path, &bytes)?).await?,
            };
            let (path, copy) = (self.path.clone(), bytes.clone());
            let work = move || unlock(&path, copy, &keys.keys).map_err(|error| keys.fault(error));
            let answer = detached(None, work).await.map_err(|_| failed())?;
            match answer {
                Err(SourceError::NotAllowed { .. })
                    if tries < TRIES && self.keys.may_ask_again(crypt::encryption(&self.path, &bytes)?) =>
                {
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn look<T>(
        &self,
        name: &str,
        version: Option<&str>,
        give: impl FnOnce(&Record, &Version) -> T,
    ) -> Result<T, SourceError> {
        let opened = self.open().await?;
        self.find(opened.as_ref(), name, version, give)
    }

    /// Looks up several items in the vault as it is now.
    async fn look_up<T>(
        &self,
        items: &[Item],
        give: impl Fn(&str, &Record, &Version) -> T,
    ) -> Vec<Result<T, SourceError>> {
        let opened = match self.open().await {
            Ok(opened) => opened,
            Err(error) => return items.iter().map(|_| Err(error.clone())).collect(),
        };
        let find = |item: &Item| {
            let Item { path, version } = item;
            self.find(opened.as_ref(), path, version.as_deref(), |record, found| give(path, record, found))
        };
        items.iter().map(find).collect()
    }

    fn find<T>(
        &self,
        opened: Option<&Opened>,
        name: &str,
        version: Option<&str>,
        give: impl FnOnce(&Record, &Version) -> T,
    ) -> Result<T, SourceError> {
        valid(name)?;
        let opened = opened.ok_or_else(|| self.absent())?;
        let record = opened.records.0.get(name).ok_or(SourceError::Missing)?;
        let found = record.version(version).ok_or(SourceError::Missing)?;
        Ok(give(record, found))
    }

    /// Changes the records and writes them. A vault that is not there is made where `create` says
    /// so; the second result then says with what it is locked.
    async fn change<T: Send + 'static>(
        &self,
        create: bool,
        edit: impl FnOnce(&mut Records) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<(T, Option<String>), SourceError> {
        let mut opened = self.open().await?;
        if opened.is_none() && !create {
            return Err(self.absent());
        }
        let path = self.path.clone();
        let lock = detached(None, move || store::Lock::take(&path)).await.map_err(|_| failed())??;
        let (key, made) = match opened.take() {
            Some(opened) => (opened.key, None),
            None => self.first_key().await?,
        };
        let path = self.path.clone();
        let work = move || {
            // Another process may have written since: the current file counts.
            let mut records = match store::read(&path)? {
                Some(bytes) => unlock(&path, bytes, std::slice::from_ref(&key))?.records,
                None => Records::default(),
            };
            let result = edit(&mut records)?;
            let bytes = crypt::encrypt(&records::write(&records), &key)?;
            lock.replace(&bytes)?;
            Ok((result, Opened { bytes, key, records }))
        };
        let (result, now) = detached(None, work).await.map_err(|_| failed())??;
        *opened = Some(now);
        Ok((result, made))
    }

    /// The key of a vault that was not there, and what it is if the vault is to be made. The caller
    /// has the vault's lock: two keys made at once would leave a vault whose key is lost.
    async fn first_key(&self) -> Result<(Key, Option<String>), SourceError> {
        if let Some(bytes) = store::read(&self.path)? {
            return Ok((self.unlock(bytes, None).await?.key, None));
        }
        let key = self.keys.for_creating(&self.path).await?;
        let made = key.describe();
        Ok((key, Some(made)))
    }

    /// Writes items, making the vault if there is none.
    async fn put(&self, items: Vec<NewItem>) -> Result<Vec<Metadata>, SourceError> {
        for item in &items {
            valid(&item.path)?;
        }
        let edit = move |records: &mut Records| {
            let now = jiff::Timestamp::now();
            let put = items.into_iter().map(|NewItem { path, value, remark }| {
                let record = records.put(&path, value, now);
                record.expires = remark.expires;
                if let Some(note) = remark.note {
                    record.note = Some(note).filter(|note| !note.is_empty());
                }
                metadata(&path, record, &record.current)
            });
            Ok(put.collect::<Vec<Metadata>>())
        };
        let (mut all, made) = self.change(true, edit).await?;
        if let (Some(key), Some(first)) = (made, all.first_mut()) {
            first
                .warnings
                .push(format!("created the age vault `{}`, locked with {key}", self.path.display()));
        }
        Ok(all)
    }

    fn absent(&self) -> SourceError {
        SourceError::Absent { cause: format!("there is no age vault (`{}`)", self.path.display()) }
    }
}

fn unlock(path: &std::path::Path, bytes: Vec<u8>, keys: &[Key]) -> Result<Opened, SourceError> {
    let (plain, key) = crypt::decrypt(path, &bytes, keys)?;
    let records = records::parse(&plain).map_err(|error| crypt::damaged(path, &error.to_string()))?;
    Ok(Opened { bytes, key, records })
}

fn failed() -> SourceError {
    SourceError::unreachable("opening the age vault failed", "try again, and report it if it happens again")
}

fn valid(name: &str) -> Result<SecretName, SourceError> {
    name.parse().map_err(|error: InvalidName| SourceError::unfit(error.to_string()))
}

fn metadata(name: &str, record: &Record, version: &Version) -> Metadata {
    Metadata {
        place: format!("vault record `{name}`"),
        created: Some(version.created),
        expires: record.expires,
        note: record.note.clone(),
        version: Some(version.number.to_string()),
        ..Metadata::default()
    }
}

#[async_trait]
impl Source for AgeVault {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the age vault".to_owned()
    }

    fn remedy(&self, path: &str) -> String {
        format!("run {}", typed(["doppio", "secret", "set", path, "--in", "file"]))
    }

    async fn check(&self) -> Answer<()> {
        self.open().await?.as_ref().map(drop).ok_or_else(|| self.absent())
    }

    async fn is_at_hand(&self) -> bool {
        self.opened.lock().await.is_some()
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        self.look(path, version, |record, found| (found.value.clone(), metadata(path, record, found))).await
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        self.look_up(items, |name, record, found| (found.value.clone(), metadata(name, record, found))).await
    }

    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        self.look_up(items, metadata).await
    }

    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        self.look(path, version, |record, found| metadata(path, record, found)).await
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let item = NewItem { path: path.to_owned(), value: value.clone(), remark: remark.clone() };
        let mut all = self.put(vec![item]).await?;
        Ok(all.remove(0))
    }

    /// All in one write.
    async fn set_many(&self, items: &[NewItem]) -> Vec<Answer<Metadata>> {
        match self.put(items.to_vec()).await {
            Ok(all) => all.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        valid(path)?;
        let name = path.to_owned();
        let edit = move |records: &mut Records| records.0.remove(&name).map(drop).ok_or(SourceError::Missing);
        self.change(false, edit).await.map(drop)
    }

    async fn rename(&self, from: &str, to: &str) -> Answer<()> {
        valid(from)?;
        valid(to)?;
        let (old, new) = (from.to_owned(), to.to_owned());
        let edit = move |records: &mut Records| {
            if records.0.contains_key(&new) {
                return Err(taken(&new));
            }
            let record = records.0.remove(&old).ok_or(SourceError::Missing)?;
            records.0.insert(new, record);
            Ok(())
        };
        self.change(false, edit).await.map(drop)
    }

    /// Each write leaves the generation before it.
    fn remains(&self, _: &str) -> Option<String> {
        let (shown, older) = store::generations(&self.path);
        Some(format!(
            "until the age vault is written again, its older generation has it: `cp -p {older} {shown}` restores it"
        ))
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let opened = self.open().await?;
        let opened = opened.as_ref().ok_or_else(|| self.absent())?;
        Ok(opened
            .records
            .0
            .iter()
            .map(|(name, record)| (name.clone(), metadata(name, record, &record.current)))
            .collect())
    }

    async fn versions(&self, path: &str) -> Answer<Vec<source::Version>> {
        self.look(path, None, |record, _| {
            let all = std::iter::once(&record.current).chain(&record.previous);
            all.map(|version| source::Version {
                id: version.number.to_string(),
                created: Some(version.created),
                labels: Vec::new(),
                current: version.number == record.current.number,
                readable: true,
            })
            .collect()
        })
        .await
    }
}
