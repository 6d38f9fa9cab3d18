//! Secrets Manager. A version is a stage (`AWSCURRENT`, `AWSPREVIOUS`, one of your own) or the
//! identifier of a version.

#![expect(clippy::disallowed_methods, reason = "values go into the body of a request")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::primitives::Blob;
use futures_util::FutureExt;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::Answers;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Item;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Setup;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;

use crate::aws::KEYS;
use crate::aws::account::Account;
use crate::aws::batch;
use crate::aws::fault::Deed;
use crate::aws::fault::Trouble;
use crate::aws::metadata::CURRENT;
use crate::aws::metadata::EXPIRES;
use crate::aws::metadata::Wanted;
use crate::aws::metadata::described;
use crate::aws::metadata::expires;
use crate::aws::metadata::expiry;
use crate::aws::metadata::facts;
use crate::aws::metadata::listed;
use crate::aws::time;

/// How it is made.
pub(crate) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Manager::new(setup)) };

static KIND: Kind = Kind {
    scheme: "aws",
    summary: "AWS Secrets Manager: a name or an ARN",
    writes: true,
    versions: true,
    remote: Some(RemoteKind { deadline: DEADLINE, batch: batch::LARGEST, keys: KEYS }),
};

/// How long AWS keeps what was removed; the longest it offers.
const RECOVERY_DAYS: i64 = 30;

/// The source `aws`.
#[derive(Debug)]
pub(super) struct Manager {
    account: Account,
    /// Cleared when these credentials may not ask for several values at once.
    pub(super) may_batch: AtomicBool,
    /// Cleared when these credentials may not list.
    pub(super) may_list: AtomicBool,
    /// Until when what was removed can be brought back.
    removed: Mutex<HashMap<String, jiff::Timestamp>>,
}

impl Manager {
    fn new(setup: Setup) -> Self {
        Self {
            account: Account::new(setup, KIND.scheme, "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            may_batch: AtomicBool::new(true),
            may_list: AtomicBool::new(true),
            removed: Mutex::default(),
        }
    }

    /// The client for a path: an ARN names its region.
    pub(super) async fn client(&self, path: &str) -> Result<Client, SourceError> {
        Ok(Client::new(&self.account.config(path).await?))
    }

    pub(super) async fn get_one(
        &self,
        path: &str,
        version: Option<&str>,
    ) -> Result<(SecretValue, Metadata), SourceError> {
        let ask = self.client(path).await?.get_secret_value().secret_id(path);
        let ask = match Wanted::of(version) {
            Wanted::Current => ask,
            Wanted::Stage(stage) => ask.version_stage(stage),
            Wanted::Id(id) => ask.version_id(id),
        };
        let deed = Deed { action: "secretsmanager:GetSecretValue", path, writes: false };
        let found = ask.send().await.map_err(|error| Trouble::of(&error).tell(deed))?;
        let facts = facts(path, found.version_id(), found.created_date());
        // What is not there is an error of AWS: an answer without a value is none of AWS.
        let value = value(found.secret_string, found.secret_binary);
        Ok((value.ok_or_else(|| Trouble::Garbled.tell(deed))?, facts))
    }

    /// Asks what is known of a secret; where that is not allowed, the value shows that it is there.
    /// So it does for a version that AWS does not name: one without a stage is not listed, but can
    /// be read.
    pub(super) async fn locate_one(
        &self,
        path: &str,
        version: Option<&str>,
    ) -> Result<Metadata, SourceError> {
        let deed = Deed { action: "secretsmanager:DescribeSecret", path, writes: false };
        match self.client(path).await?.describe_secret().secret_id(path).send().await {
            Ok(found) if found.name().is_none() && found.arn().is_none() => Err(Trouble::Garbled.tell(deed)),
            Ok(found) => match described(path, version, &found) {
                Err(SourceError::Missing) if Wanted::of(version) != Wanted::Current => {
                    self.get_one(path, version).await.map(|(_, facts)| facts)
                }
                told => told,
            },
            Err(error) => match Trouble::of(&error) {
                trouble if trouble.is_denied() => self.get_one(path, version).await.map(|(_, facts)| facts),
                trouble => Err(trouble.tell(deed)),
            },
        }
    }

    async fn create(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let (text, bytes) = written(value);
        let ask = self.client(path).await?.create_secret().name(path);
        let ask = ask.set_secret_string(text).set_secret_binary(bytes).set_description(remark.note.clone());
        let done = ask.set_tags(remark.expires.map(|time| vec![expires(time)])).send().await;
        let deed = Deed { action: "secretsmanager:CreateSecret", path, writes: true };
        let done = done.map_err(|error| Trouble::of(&error).tell(deed))?;
        Ok(Metadata {
            note: remark.note.clone(),
            expires: remark.expires,
            ..facts(path, done.version_id(), None)
        })
    }

    /// Writes what the user said beside the value, and removes what was said of the value before;
    /// the value already exists.
    async fn remark(&self, path: &str, remark: &Remark) -> Result<(), SourceError> {
        let client = self.client(path).await?;
        if let Some(note) = &remark.note {
            let done = client.update_secret().secret_id(path).description(note).send().await;
            let deed = Deed { action: "secretsmanager:UpdateSecret", path, writes: true };
            done.map_err(|error| Trouble::of(&error).tell(deed))?;
        }
        if let Some(time) = remark.expires {
            let done = client.tag_resource().secret_id(path).tags(expires(time)).send().await;
            let deed = Deed { action: "secretsmanager:TagResource", path, writes: true };
            done.map_err(|error| Trouble::of(&error).tell(deed))?;
        } else if self.has_expiry(path).await? {
            let done = client.untag_resource().secret_id(path).tag_keys(EXPIRES).send().await;
            let deed = Deed { action: "secretsmanager:UntagResource", path, writes: true };
            done.map_err(|error| Trouble::of(&error).tell(deed))?;
        }
        Ok(())
    }

    /// Whether an expiry stands beside a secret. Credentials that may not even ask have written
    /// none.
    async fn has_expiry(&self, path: &str) -> Result<bool, SourceError> {
        let deed = Deed { action: "secretsmanager:DescribeSecret", path, writes: false };
        match self.client(path).await?.describe_secret().secret_id(path).send().await {
            Ok(found) => Ok(expiry(found.tags()).is_some()),
            Err(error) => match Trouble::of(&error) {
                trouble if trouble.is_denied() => Ok(false),
                trouble => Err(trouble.tell(deed)),
            },
        }
    }

    async fn put_or_create(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let deed = Deed { action: "secretsmanager:PutSecretValue", path, writes: true };
        let (text, bytes) = written(value);
        let ask = self.client(path).await?.put_secret_value().secret_id(path);
        let done = ask.set_secret_string(text).set_secret_binary(bytes).send().await;
        match done.map(|done| done.version_id).map_err(|error| Trouble::of(&error)) {
            Ok(version) => {
                let mut facts = facts(path, version.as_deref(), None);
                if let Err(error) = self.remark(path, remark).await {
                    facts.warnings.push(remark.unwritten(&error));
                }
                Ok(facts)
            }
            Err(trouble) if trouble.is_missing() => self.create(path, value, remark).await,
            Err(trouble) => Err(trouble.tell(deed)),
        }
    }

    async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let deed = Deed { action: "secretsmanager:DeleteSecret", path, writes: false };
        let ask = self.client(path).await?.delete_secret().secret_id(path);
        let done = ask.recovery_window_in_days(RECOVERY_DAYS).send().await;
        let done = done.map_err(|error| Trouble::of(&error).tell(deed))?;
        if let Some(until) = done.deletion_date().and_then(time) {
            let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
            removed.insert(path.to_owned(), until);
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<(String, Metadata)>, SourceError> {
        let deed = Deed { action: "secretsmanager:ListSecrets", path: "", writes: false };
        let mut pages = self.client("").await?.list_secrets().max_results(100).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Trouble::of(&error).tell(deed))?;
            for entry in page.secret_list() {
                // One without a value can't be used.
                if let (Some(name), Ok(facts)) =
                    (entry.name(), listed(entry.name().unwrap_or_default(), None, entry))
                {
                    found.push((name.to_owned(), facts));
                }
            }
        }
        Ok(found)
    }

    async fn history(&self, path: &str) -> Result<Vec<Version>, SourceError> {
        let deed = Deed { action: "secretsmanager:ListSecretVersionIds", path, writes: false };
        let ask = self.client(path).await?.list_secret_version_ids().secret_id(path).max_results(100);
        let mut pages = ask.into_paginator().send();
        let mut versions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Trouble::of(&error).tell(deed))?;
            versions.extend(page.versions().iter().map(|entry| Version {
                id: entry.version_id().unwrap_or_default().to_owned(),
                created: entry.created_date().and_then(time),
                labels: entry.version_stages().to_vec(),
                current: entry.version_stages().iter().any(|stage| stage == CURRENT),
                readable: true,
            }));
        }
        versions.sort_by_key(|version| std::cmp::Reverse((version.current, version.created)));
        Ok(versions)
    }

    async fn ping(&self) -> Result<(), SourceError> {
        let deed = Deed { action: "secretsmanager:ListSecrets", path: "", writes: false };
        match self.client("").await?.list_secrets().max_results(1).send().await {
            Ok(_) => Ok(()),
            Err(error) => match Trouble::of(&error) {
                // Credentials that may not list are known anyway.
                trouble if trouble.is_denied() => Ok(()),
                trouble => Err(trouble.tell(deed)),
            },
        }
    }
}

/// The value of an answer; it has one of both.
pub(super) fn value(text: Option<String>, bytes: Option<Blob>) -> Option<SecretValue> {
    text.map(String::into_bytes).or_else(|| bytes.map(Blob::into_inner)).map(SecretValue::new)
}

/// The same for the way there: text where it is text, so that the console shows it.
fn written(value: &SecretValue) -> (Option<String>, Option<Blob>) {
    let bytes = value.reveal(<[u8]>::to_vec);
    match std::str::from_utf8(&bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(Blob::new(bytes.clone()))),
    }
}

impl Source for Manager {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        match self.account.region() {
            Some(region) => format!("AWS Secrets Manager in {region}"),
            None => "AWS Secrets Manager".to_owned(),
        }
    }

    fn remedy(&self, path: &str) -> String {
        format!(
            "run `doppio secret set {path} --in aws`, or look at the names with `aws secretsmanager list-secrets`"
        )
    }

    fn check(&self) -> Answer<'_, ()> {
        self.ping().boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Metadata)> {
        self.get_one(path, version).boxed()
    }

    fn get_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, (SecretValue, Metadata)> {
        batch::get(self, items).boxed()
    }

    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Metadata> {
        self.locate_one(path, version).boxed()
    }

    fn locate_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, Metadata> {
        batch::locate(self, items).boxed()
    }

    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Metadata> {
        self.put_or_create(path, value, remark).boxed()
    }

    /// AWS keeps it for [`RECOVERY_DAYS`].
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.remove(path).boxed()
    }

    fn remains(&self, path: &str) -> Option<String> {
        let until = *self.removed.lock().unwrap_or_else(PoisonError::into_inner).get(path)?;
        let day = until.strftime("%Y-%m-%d");
        Some(format!(
            "AWS keeps it until {day}: `aws secretsmanager restore-secret --secret-id {path}` restores it"
        ))
    }

    fn list(&self) -> Answer<'_, Vec<(String, Metadata)>> {
        self.all().boxed()
    }

    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        self.history(path).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_as_text_and_bytes_as_bytes() {
        let (text, bytes) = written(&SecretValue::new("ü".into()));
        assert!(text.is_some() && bytes.is_none());
        let (text, bytes) = written(&SecretValue::new(vec![0xff, 0xfe]));
        assert_eq!(value(text, bytes).unwrap().reveal(<[u8]>::to_vec), b"\xff\xfe");
    }
}
