//! What every remote source gets: a deadline, the run's memory, one call for all requests at the same
//! time, and errors that repeat nothing of what was sent.
//!
//! An item is asked for once, however many want it and however often: who comes while it is under
//! way waits for the same answer, who comes later gets it from memory. Failures are not
//! remembered, nor is what is leased, nor what has stopped being good. Whoever gives up waiting
//! takes nothing from the others: the call is a task of its own. The values are
//! [`SecretValue`]s, so they are wiped with this.

mod batcher;
mod far;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use doppio_text::name::SecretName;

use self::batcher::Batcher;
use crate::SecretValue;
use crate::source::Answer;
use crate::source::CURRENT;
use crate::source::DEADLINE;
use crate::source::Item;
use crate::source::Kind;
use crate::source::Logins;
use crate::source::Member;
use crate::source::Metadata;
use crate::source::PREVIOUS;
use crate::source::Remark;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Version;
use crate::source::remote::far::Far;

/// A remote source with a deadline and a memory.
#[derive(Debug)]
pub struct Remote {
    far: Arc<Far>,
    values: Arc<Batcher<(SecretValue, Metadata)>>,
    places: Arc<Batcher<Metadata>>,
}

impl Remote {
    /// Stands before `source`, which says to `logins` what it logs in with; `deadline` is that of the
    /// settings.
    pub fn new(source: Arc<dyn Source>, deadline: Option<Duration>, logins: Logins) -> Self {
        let kind = source.kind().remote.as_ref();
        let of_kind = kind.map_or(DEADLINE, |kind| kind.deadline);
        let batch = kind.map_or(1, |kind| kind.batch.max(1));
        Self {
            far: Arc::new(Far { source, deadline: deadline.unwrap_or(of_kind), batch, logins }),
            values: Batcher::new(|source, items| source.get_many(items)),
            places: Batcher::new(|source, items| source.locate_many(items)),
        }
    }

    /// A version in the source's own words, so that `previous` is understood everywhere.
    async fn version(&self, path: &str, version: Option<&str>) -> Answer<Option<String>> {
        let Some(word) = version else { return Ok(None) };
        if CURRENT.contains(&word) {
            return Ok(None);
        }
        if let Some(own) = self.far.source.own_word(word) {
            return Ok(Some(own.to_owned()));
        }
        if word != PREVIOUS || !self.kind().versions {
            return Ok(Some(word.to_owned()));
        }
        let older = self.versions(path).await?;
        let older = older.into_iter().skip_while(|version| !version.current);
        let previous = older.skip(1).find(|version| version.readable);
        previous.map(|version| Some(version.id)).ok_or(SourceError::Missing)
    }

    /// An item in the source's own words.
    async fn item(&self, path: &str, version: Option<&str>) -> Answer<Item> {
        Ok(Item::new(path, self.version(path, version).await?.as_deref()))
    }

    /// Forgets everything: several paths may lead to what was changed.
    fn forget(&self) {
        self.values.forget();
        self.places.forget();
    }
}

#[async_trait]
impl Source for Remote {
    fn kind(&self) -> &'static Kind {
        self.far.source.kind()
    }

    fn place(&self) -> String {
        self.far.source.place()
    }

    fn spelling(&self, name: &SecretName) -> String {
        self.far.source.spelling(name)
    }

    fn property_spelling(&self, name: &SecretName) -> String {
        self.far.source.property_spelling(name)
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        self.far.source.candidates(name)
    }

    fn member(&self, path: &str, property: &str) -> Option<Member> {
        self.far.source.member(path, property)
    }

    fn member_to_write(&self, path: &str, property: &str) -> Option<String> {
        self.far.source.member_to_write(path, property)
    }

    fn keeps_members(&self) -> bool {
        self.far.source.keeps_members()
    }

    async fn member_keys(&self, path: &str) -> Answer<Vec<String>> {
        self.far.within(self.far.source.member_keys(path)).await
    }

    fn whole(&self, path: &str) -> String {
        self.far.source.whole(path)
    }

    async fn acts(&self, path: &str) -> Answer<bool> {
        self.far.within(self.far.source.acts(path)).await
    }

    fn remedy(&self, path: &str) -> String {
        self.far.source.remedy(path)
    }

    fn remedy_of_absence(&self, path: &str) -> String {
        self.far.source.remedy_of_absence(path)
    }

    fn remedy_of_member(&self, path: &str, property: &str) -> Option<String> {
        self.far.source.remedy_of_member(path, property)
    }

    async fn check(&self) -> Answer<()> {
        self.far.within(self.far.source.check()).await
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        self.values.ask(&self.far, self.item(path, version).await?).await
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        let asked = items.iter().map(|item| self.get(&item.path, item.version.as_deref()));
        futures_util::future::join_all(asked).await
    }

    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        let item = self.item(path, version).await?;
        match self.values.known(&item) {
            Some((_, metadata)) => Ok(metadata),
            None if self.far.source.reads_to_locate() => {
                self.values.ask(&self.far, item).await.map(|(_, metadata)| metadata)
            }
            None => self.places.ask(&self.far, item).await,
        }
    }

    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        let asked = items.iter().map(|item| self.locate(&item.path, item.version.as_deref()));
        futures_util::future::join_all(asked).await
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        self.far.logins.send(value);
        let done = self.far.within(self.far.source.set(path, value, remark)).await;
        self.forget();
        done.map(|metadata| self.far.logins.without(metadata))
    }

    fn stages(&self) -> bool {
        self.far.source.stages()
    }

    async fn stage(&self, path: &str, value: &SecretValue) -> Answer<Metadata> {
        self.far.logins.send(value);
        let done = self.far.within(self.far.source.stage(path, value)).await;
        self.forget();
        done.map(|metadata| self.far.logins.without(metadata))
    }

    async fn promote(&self, path: &str, remark: &Remark) -> Answer<Metadata> {
        let done = self.far.within(self.far.source.promote(path, remark)).await;
        self.forget();
        done.map(|metadata| self.far.logins.without(metadata))
    }

    async fn discard(&self, path: &str) -> Answer<()> {
        let done = self.far.within(self.far.source.discard(path)).await;
        self.forget();
        done
    }

    fn beside(&self, path: &str, role: &str) -> Option<String> {
        self.far.source.beside(path, role)
    }

    fn own_word(&self, version: &str) -> Option<&'static str> {
        self.far.source.own_word(version)
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        let done = self.far.within(self.far.source.delete(path)).await;
        self.forget();
        done
    }

    fn remains(&self, path: &str) -> Option<String> {
        self.far.source.remains(path)
    }

    fn unlisted(&self) -> Option<SourceError> {
        self.far.source.unlisted().map(|error| self.far.logins.hidden(error))
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        self.far.within(self.far.source.list()).await
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        self.far.within(self.far.source.versions(path)).await
    }

    async fn close(&self) -> Answer<()> {
        self.forget();
        self.far.within(self.far.source.close()).await
    }
}
