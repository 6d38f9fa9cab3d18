//! What every source can be asked, and how one answers that can't do a thing.

use std::fmt::Debug;

use async_trait::async_trait;

use doppio_text::name::SecretName;

use crate::SecretValue;
use crate::source::Answer;
use crate::source::Item;
use crate::source::Kind;
use crate::source::Member;
use crate::source::Metadata;
use crate::source::NewItem;
use crate::source::Remark;
use crate::source::SourceError;
use crate::source::Version;

/// What keeps secrets. Values are bytes.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// What messages call it, as in "the keychain".
    fn place(&self) -> String;

    /// How a plain name is written as a path here: what the source can't hold is replaced.
    fn spelling(&self, name: &SecretName) -> String {
        name.to_string()
    }

    /// The same for a property of one item that holds many secrets.
    fn property_spelling(&self, name: &SecretName) -> String {
        name.to_string()
    }

    /// The paths under which a plain name may be found here, the first one first; none where a
    /// name says too little.
    fn candidates(&self, name: &SecretName) -> Vec<String> {
        vec![self.spelling(name)]
    }

    /// What a property means, where items have members of their own: the keys of a Kubernetes
    /// Secret. Such a member may be any bytes, so it is not looked up in a text of the whole.
    fn member(&self, path: &str, property: &str) -> Option<Member> {
        let (_, _) = (path, property);
        None
    }

    /// The path to which a property of an item is written; none where only whole items are.
    fn member_to_write(&self, path: &str, property: &str) -> Option<String> {
        let member = self.member(path, property)?;
        member.rest.is_empty().then_some(member.path)
    }

    /// Whether the members of an item are kept apart, and are written one by one.
    fn keeps_members(&self) -> bool {
        false
    }

    /// The keys of an item whose members are kept apart.
    async fn member_keys(&self, path: &str) -> Answer<Vec<String>> {
        let _: &str = path;
        read_only(&self.place(), "list the members of an item in")
    }

    /// The path of an item as a document, where a plain path may mean its only member.
    fn whole(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The command that stores an item there, or how to.
    fn remedy(&self, path: &str) -> String;

    /// What to do where this machine has no such source.
    fn remedy_of_absence(&self, path: &str) -> String {
        self.remedy(path)
    }

    /// How to add a member to an existing item without touching the others; none where the source
    /// knows of no members.
    fn remedy_of_member(&self, path: &str, property: &str) -> Option<String> {
        let (_, _) = (path, property);
        None
    }

    /// Proves that the source can be used, without reading a value of the user's. Some always can.
    async fn check(&self) -> Answer<()> {
        Ok(())
    }

    /// The value and what is known of it.
    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)>;

    /// The same for several items, in their order: in one call where the source has one for that,
    /// and one after the other where it has none.
    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            answers.push(self.get(&item.path, item.version.as_deref()).await);
        }
        answers
    }

    /// Whether reading the item does something: runs a program, makes credentials. Such an item
    /// is read when a step needs it, and never only to see whether it is there.
    async fn acts(&self, path: &str) -> Answer<bool> {
        let _: &str = path;
        Ok(false)
    }

    /// Whether its values can be read now without asking anybody: neither the user, nor a program, nor a
    /// server.
    async fn is_at_hand(&self) -> bool {
        false
    }

    /// Whether finding out where an item is costs as much as reading it, so that both are done in
    /// one call.
    fn reads_to_locate(&self) -> bool {
        false
    }

    /// What is known of an item; the value is not read where the source allows that.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        self.get(path, version).await.map(|(_, metadata)| metadata)
    }

    /// The same for several items, in their order.
    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            answers.push(self.locate(&item.path, item.version.as_deref()).await);
        }
        answers
    }

    /// Writes an item, replacing the one that is there.
    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let (_, _, _) = (path, value, remark);
        read_only(&self.place(), "write to")
    }

    /// The same for several items, in their order: all of them or none where the source can do that
    /// in one write. Elsewhere one after the other, and the answers end with the first failure.
    async fn set_many(&self, items: &[NewItem]) -> Vec<Answer<Metadata>> {
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let answer = self.set(&item.path, &item.value, &item.remark).await;
            let has_failed = answer.is_err();
            answers.push(answer);
            if has_failed {
                break;
            }
        }
        answers
    }

    /// Whether it keeps a new value as a version of its own that is not in force yet.
    fn stages(&self) -> bool {
        false
    }

    /// Keeps a value as the version [`PENDING`](crate::source::PENDING) of an item, in the place of one that
    /// is pending already.
    async fn stage(&self, path: &str, value: &SecretValue) -> Answer<Metadata> {
        let (_, _) = (path, value);
        read_only(&self.place(), "keep a pending value in")
    }

    /// Puts the pending version in force, and writes the remark beside it.
    async fn promote(&self, path: &str, remark: &Remark) -> Answer<Metadata> {
        let (_, _) = (path, remark);
        read_only(&self.place(), "keep a pending value in")
    }

    /// Drops the pending version.
    async fn discard(&self, path: &str) -> Answer<()> {
        let _: &str = path;
        read_only(&self.place(), "keep a pending value in")
    }

    /// Where a value is kept beside an item, by its role, where the item is part of a record that would
    /// keep it for ever; none where the place of a name does.
    fn beside(&self, path: &str, role: &str) -> Option<String> {
        let (_, _) = (path, role);
        None
    }

    /// The source's own word for `previous` or `pending`, if it has one.
    fn own_word(&self, version: &str) -> Option<&'static str> {
        let _: &str = version;
        None
    }

    /// Removes an item with all its versions.
    async fn delete(&self, path: &str) -> Answer<()> {
        let _: &str = path;
        read_only(&self.place(), "remove from")
    }

    /// Gives an item another path, with its versions where the source can do that. Nothing may be
    /// at `to`. Here the value is copied and read back before the old item goes.
    async fn rename(&self, from: &str, to: &str) -> Answer<()> {
        match self.locate(to, None).await {
            Err(SourceError::Missing) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(taken(to)),
        }
        let (value, metadata) = self.get(from, None).await?;
        self.set(to, &value, &Remark { note: metadata.note, expires: metadata.expires }).await?;
        if !self.get(to, None).await?.0.is_same(&value) {
            return Err(SourceError::unreachable(
                format!("{} returned something other than what was written to `{to}`", self.place()),
                format!("`{from}` is as it was; remove `{to}`"),
            ));
        }
        self.delete(from).await.map_err(|error| {
            let hint = error.hint().unwrap_or("remove one of them").to_owned();
            SourceError::unreachable(format!("{error}; its copy at `{to}` already exists"), hint)
        })
    }

    /// What can still be had of an item that was just removed, and how to bring it back.
    fn remains(&self, path: &str) -> Option<String> {
        let _: &str = path;
        None
    }

    /// Why the last list does not hold all there is, if it does not.
    fn unlisted(&self) -> Option<SourceError> {
        None
    }

    /// The paths of all items and what is known of them.
    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        read_only(&self.place(), "list")
    }

    /// The versions of an item that are kept, the newest first.
    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let _: &str = path;
        let cause = format!("{} keeps no versions", self.place());
        Err(SourceError::Unfit { cause })
    }

    /// Gives back the leases of this run, such as those of dynamic secrets.
    async fn close(&self) -> Answer<()> {
        Ok(())
    }
}

fn read_only<T>(place: &str, what: &str) -> Answer<T> {
    Err(SourceError::Unfit { cause: format!("Doppio can't {what} {place}") })
}

/// The answer when an item would be put where one is.
pub(super) fn taken(path: &str) -> SourceError {
    SourceError::Unfit { cause: format!("`{path}` already exists") }
}

/// The answer of a source without versions, when it is asked for one.
///
/// # Errors
///
/// When a version is asked for.
pub fn no_versions(place: &str, version: Option<&str>) -> Result<(), SourceError> {
    match version {
        None => Ok(()),
        Some(_) => Err(SourceError::Unfit { cause: format!("{place} keeps no versions") }),
    }
}
