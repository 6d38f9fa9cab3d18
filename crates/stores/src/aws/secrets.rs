//! Secrets Manager. A version is a stage (`AWSCURRENT`, `AWSPREVIOUS`, one of your own) or the
//! identifier of a version.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use doppio_secrets::SecretValue;
use doppio_secrets::looks_like_name;
use doppio_secrets::source;
use doppio_secrets::source::Answer;
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
use doppio_text::shell::typed;

use crate::aws::account::KEYS;
use crate::aws::api::Api;
use crate::aws::call::Call;
use crate::aws::metadata::CURRENT;
use crate::aws::metadata::Described;
use crate::aws::metadata::Moment;
use crate::aws::metadata::PENDING;
use crate::aws::metadata::PREVIOUS;
use crate::aws::metadata::Selector;
use crate::aws::metadata::metadata_of;
use crate::aws::refusal::Failure;
use crate::aws::reply::Object;
use crate::aws::reply::Reply;
use crate::aws::service::SECRETS;

/// How it is made.
pub(crate) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(SecretsManager::new(setup)) };

static KIND: Kind = Kind {
    scheme: "aws",
    summary: "AWS Secrets Manager: a name or an ARN",
    writes: true,
    versions: true,
    remote: Some(RemoteKind { deadline: DEADLINE, batch: LARGEST, keys: KEYS }),
};

/// Secrets that one `BatchGetSecretValue` takes.
pub(super) const LARGEST: usize = 20;

/// How long AWS keeps what was removed; the longest it offers.
const RECOVERY_DAYS: i64 = 30;

/// The source `aws`.
#[derive(Debug)]
pub(super) struct SecretsManager {
    pub(super) api: Api,
    /// Cleared when these credentials may not ask for several values at once.
    pub(super) may_batch: AtomicBool,
    /// Cleared when these credentials may not list.
    pub(super) may_list: AtomicBool,
    /// Until when what was removed can be brought back.
    removed: Mutex<HashMap<String, jiff::Timestamp>>,
}

/// A version as an answer with its value has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    name: Option<String>,
    version_id: Option<String>,
    created_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Removed {
    deletion_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    secret_list: Option<Vec<Described>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    versions: Option<Vec<Listing>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    version_id: Option<String>,
    version_stages: Option<Vec<String>>,
    created_date: Option<Moment>,
}

/// The name of the secret in an answer with its value.
pub(super) fn name(object: Object<'_>) -> Result<Option<String>, Failure> {
    Ok(object.metadata::<Found>()?.name)
}

/// A version with its value; none where the answer holds no value.
pub(super) fn version(path: &str, object: Object<'_>) -> Result<Option<(SecretValue, Metadata)>, Failure> {
    let found: Found = object.metadata()?;
    let value = match object.text("SecretString")? {
        None => object.binary("SecretBinary")?,
        text => text,
    };
    Ok(value.map(|value| (value, metadata_of(path, found.version_id.as_deref(), found.created_date))))
}

/// The secrets on a page of a list.
pub(super) fn list(page: &Reply) -> Result<Vec<Described>, Failure> {
    Ok(page.object().metadata::<Listed>()?.secret_list.unwrap_or_default())
}

impl SecretsManager {
    fn new(setup: Setup) -> Self {
        Self {
            api: Api::new(setup, KIND.scheme, &SECRETS),
            may_batch: AtomicBool::new(true),
            may_list: AtomicBool::new(true),
            removed: Mutex::default(),
        }
    }

    pub(super) async fn describe(&self, path: &str) -> Result<Described, Failure> {
        let call = Call::reading("secretsmanager:DescribeSecret", path);
        let reply = self.api.ask(call, &json!({ "SecretId": path })).await?;
        let found: Described = reply.object().metadata()?;
        if found.name.is_none() && found.arn.is_none() { Err(Failure::Nonsense) } else { Ok(found) }
    }

    async fn all(&self, call: Call<'_>) -> Result<Vec<(String, Metadata)>, Failure> {
        let mut pages = self.api.pages(call, json!({ "MaxResults": 100 }));
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for entry in list(&page?)? {
                let Some(name) = &entry.name else { continue };
                // One without a value can't be used.
                if let Ok(metadata) = entry.listed(name, None) {
                    found.push((name.clone(), metadata));
                }
            }
        }
        Ok(found)
    }

    async fn history(&self, call: Call<'_>) -> Result<Vec<Version>, Failure> {
        let mut pages = self.api.pages(call, json!({ "SecretId": call.path, "MaxResults": 100 }));
        let mut versions = Vec::new();
        while let Some(page) = pages.next().await {
            let Versions { versions: listed } = page?.object().metadata()?;
            versions.extend(listed.into_iter().flatten().map(|entry| {
                let labels = entry.version_stages.unwrap_or_default();
                Version {
                    id: entry.version_id.unwrap_or_default(),
                    created: entry.created_date.and_then(Moment::timestamp),
                    current: labels.iter().any(|stage| stage == CURRENT),
                    labels,
                    readable: true,
                }
            }));
        }
        versions.sort_by_key(|version| std::cmp::Reverse((version.current, version.created)));
        Ok(versions)
    }
}

#[async_trait]
impl Source for SecretsManager {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        match self.api.region() {
            Some(region) if looks_like_name(&region) => format!("AWS Secrets Manager in {region}"),
            _ => "AWS Secrets Manager".to_owned(),
        }
    }

    fn remedy(&self, path: &str) -> String {
        format!(
            "run {}, or look at the names with `aws secretsmanager list-secrets`",
            typed(["doppio", "secret", "set", path, "--in", "aws"])
        )
    }

    async fn check(&self) -> Answer<()> {
        let call = Call::reading("secretsmanager:ListSecrets", "");
        match self.api.ask(call, &json!({ "MaxResults": 1 })).await {
            Ok(page) => list(&page).map(drop).map_err(|failure| failure.told(call)),
            // Credentials that may not list are known anyway.
            Err(failure) if failure.is_denied() => Ok(()),
            Err(failure) => Err(failure.told(call)),
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let call = Call::reading("secretsmanager:GetSecretValue", path);
        let mut request = json!({ "SecretId": path });
        match Selector::of(version) {
            Selector::Current => request["VersionStage"] = CURRENT.into(),
            Selector::Stage(stage) => request["VersionStage"] = stage.into(),
            Selector::Id(id) => request["VersionId"] = id.into(),
        }
        let reply = self.api.ask(call, &request).await.map_err(|failure| failure.told(call))?;
        let found = self::version(path, reply.object()).map_err(|failure| failure.told(call))?;
        // What is not there is an error of AWS: an answer without a value is none of AWS.
        found.ok_or_else(|| Failure::Nonsense.told(call))
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        self.get_all(items).await
    }

    /// Asks what is known of a secret; where that is not allowed, the value shows that it is there.
    /// So it does for a version that AWS does not name: one without a stage is not listed, but can
    /// be read.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        match self.describe(path).await {
            Ok(found) => match found.described(path, version) {
                Err(SourceError::Missing) if Selector::of(version) != Selector::Current => {
                    self.get(path, version).await.map(|(_, metadata)| metadata)
                }
                described => described,
            },
            Err(failure) if failure.is_denied() => {
                self.get(path, version).await.map(|(_, metadata)| metadata)
            }
            Err(failure) => Err(failure.told(Call::reading("secretsmanager:DescribeSecret", path))),
        }
    }

    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        self.locate_all(items).await
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        self.put_or_create(path, value, remark).await
    }

    fn stages(&self) -> bool {
        true
    }

    async fn stage(&self, path: &str, value: &SecretValue) -> Answer<Metadata> {
        self.put_pending(path, value).await
    }

    async fn promote(&self, path: &str, remark: &Remark) -> Answer<Metadata> {
        self.put_in_use(path, remark).await
    }

    async fn discard(&self, path: &str) -> Answer<()> {
        self.drop_pending(path).await
    }

    fn own_word(&self, version: &str) -> Option<&'static str> {
        match version {
            source::PREVIOUS => Some(PREVIOUS),
            source::PENDING => Some(PENDING),
            _ => None,
        }
    }

    /// AWS keeps it for [`RECOVERY_DAYS`].
    async fn delete(&self, path: &str) -> Answer<()> {
        let call = Call::reading("secretsmanager:DeleteSecret", path);
        let request = json!({ "SecretId": path, "RecoveryWindowInDays": RECOVERY_DAYS });
        let reply = self.api.ask(call, &request).await.map_err(|failure| failure.told(call))?;
        let done: Removed = reply.object().metadata().map_err(|failure| failure.told(call))?;
        if let Some(until) = done.deletion_date.and_then(Moment::timestamp) {
            let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
            removed.insert(path.to_owned(), until);
        }
        Ok(())
    }

    fn remains(&self, path: &str) -> Option<String> {
        let until = *self.removed.lock().unwrap_or_else(PoisonError::into_inner).get(path)?;
        let day = until.strftime("%Y-%m-%d");
        Some(format!(
            "AWS keeps it until {day}: {} restores it",
            typed(["aws", "secretsmanager", "restore-secret", "--secret-id", path])
        ))
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let call = Call::reading("secretsmanager:ListSecrets", "");
        self.all(call).await.map_err(|failure| failure.told(call))
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let call = Call::reading("secretsmanager:ListSecretVersionIds", path);
        self.history(call).await.map_err(|failure| failure.told(call))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests compare values")]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Option<Vec<u8>>, Failure> {
        let found = version("x", Object(text.as_bytes()))?;
        Ok(found.map(|(value, _)| value.expose().to_vec()))
    }

    #[test]
    fn a_value_is_a_text_or_bytes() {
        assert_eq!(found(r#"{"SecretString": "a\nb", "VersionId": "v"}"#).unwrap().unwrap(), b"a\nb");
        assert_eq!(
            found(r#"{"SecretBinary": "//4=", "SecretString": null}"#).unwrap().unwrap(),
            [0xff, 0xfe]
        );
        assert_eq!(found("{}").unwrap(), None);
        assert_eq!(found(r#"{"SecretString": 5}"#).unwrap_err(), Failure::Nonsense);
        assert_eq!(found(r#"{"SecretString": "a", "VersionId": 5}"#).unwrap_err(), Failure::Nonsense);
    }
}
