//! Writing a secret, and what the user says beside it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::SourceError;

use crate::aws::body;
use crate::aws::call::Call;
use crate::aws::metadata::CURRENT;
use crate::aws::metadata::EXPIRES;
use crate::aws::metadata::PENDING;
use crate::aws::metadata::expiry_tags;
use crate::aws::metadata::metadata_of;
use crate::aws::refusal::Failure;
use crate::aws::secrets::SecretsManager;

/// What AWS made of a new value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    version_id: Option<String>,
}

/// What makes a request that is sent twice count once; AWS takes it as the identifier of the version.
fn token() -> Result<String, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        Failure::Unsent(SourceError::unreachable(
            format!("this machine gives no random numbers: {error}"),
            "look at `/dev/urandom`",
        ))
    })?;
    Ok(uuid(random))
}

/// A UUID of random numbers (RFC 9562, section 5.4).
fn uuid(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&random);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl SecretsManager {
    /// Sends a value, and gives the identifier of its version.
    async fn write(
        &self,
        call: Call<'_>,
        mut request: Value,
        value: &SecretValue,
    ) -> Result<Option<String>, Failure> {
        request["ClientRequestToken"] = token()?.into();
        let reply = self.api.send(call, body::with_secret(&request, value)).await?;
        Ok(reply.object().metadata::<Written>()?.version_id)
    }

    async fn create(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let call = Call::writing("secretsmanager:CreateSecret", path);
        let mut request = json!({ "Name": path });
        if let Some(note) = &remark.note {
            request["Description"] = note.as_str().into();
        }
        if let Some(end) = remark.expires {
            request["Tags"] = expiry_tags(end);
        }
        let version = self.write(call, request, value).await.map_err(|failure| failure.told(call))?;
        Ok(Metadata {
            note: remark.note.clone(),
            expires: remark.expires,
            ..metadata_of(path, version.as_deref(), None)
        })
    }

    /// Writes what the user said beside the value, and removes what was said of the value before;
    /// the value already exists.
    async fn remark(&self, path: &str, remark: &Remark) -> Result<(), SourceError> {
        if let Some(note) = &remark.note {
            let call = Call::writing("secretsmanager:UpdateSecret", path);
            let token = token().map_err(|failure| failure.told(call))?;
            self.change(call, json!({ "ClientRequestToken": token, "Description": note })).await?;
        }
        if let Some(end) = remark.expires {
            let call = Call::writing("secretsmanager:TagResource", path);
            self.change(call, json!({ "Tags": expiry_tags(end) })).await?;
        } else if self.has_expiry(path).await? {
            let call = Call::writing("secretsmanager:UntagResource", path);
            self.change(call, json!({ "TagKeys": [EXPIRES] })).await?;
        }
        Ok(())
    }

    async fn change(&self, call: Call<'_>, mut request: Value) -> Result<(), SourceError> {
        request["SecretId"] = call.path.into();
        self.api.ask(call, &request).await.map(drop).map_err(|failure| failure.told(call))
    }

    /// Whether an expiry stands beside a secret. Credentials that may not even ask have written
    /// none.
    async fn has_expiry(&self, path: &str) -> Result<bool, SourceError> {
        match self.describe(path).await {
            Ok(found) => Ok(found.expiry().is_some()),
            Err(failure) if failure.is_denied() => Ok(false),
            Err(failure) => Err(failure.told(Call::reading("secretsmanager:DescribeSecret", path))),
        }
    }

    /// Writes a version that is not in use yet.
    pub(super) async fn put_pending(&self, path: &str, value: &SecretValue) -> Result<Metadata, SourceError> {
        let call = Call::writing("secretsmanager:PutSecretValue", path);
        let request = json!({ "SecretId": path, "VersionStages": [PENDING] });
        let version = self.write(call, request, value).await.map_err(|failure| failure.told(call))?;
        Ok(metadata_of(path, version.as_deref(), None))
    }

    /// Puts the pending version in use; AWS keeps the one before it as the previous one.
    pub(super) async fn put_in_use(&self, path: &str, remark: &Remark) -> Result<Metadata, SourceError> {
        let call = Call::reading("secretsmanager:DescribeSecret", path);
        let found = self.describe(path).await.map_err(|failure| failure.told(call))?;
        let pending = found.at_stage(PENDING).ok_or(SourceError::Missing)?;
        let mut metadata = metadata_of(path, Some(pending), None);
        if found.at_stage(CURRENT) != Some(pending) {
            self.move_stage(path, CURRENT, Some(pending), found.at_stage(CURRENT)).await?;
        }
        self.move_stage(path, PENDING, None, Some(pending)).await?;
        if let Err(error) = self.remark(path, remark).await {
            metadata.warnings.push(remark.unwritten(&error));
        }
        Ok(metadata)
    }

    /// Takes the stage from the pending version, which AWS then forgets by itself.
    pub(super) async fn drop_pending(&self, path: &str) -> Result<(), SourceError> {
        let call = Call::reading("secretsmanager:DescribeSecret", path);
        let found = self.describe(path).await.map_err(|failure| failure.told(call))?;
        let pending = found.at_stage(PENDING).ok_or(SourceError::Missing)?;
        self.move_stage(path, PENDING, None, Some(pending)).await
    }

    async fn move_stage(
        &self,
        path: &str,
        stage: &str,
        to: Option<&str>,
        from: Option<&str>,
    ) -> Result<(), SourceError> {
        let call = Call::writing("secretsmanager:UpdateSecretVersionStage", path);
        let mut request = json!({ "VersionStage": stage });
        for (member, version) in [("MoveToVersionId", to), ("RemoveFromVersionId", from)] {
            if let Some(version) = version {
                request[member] = version.into();
            }
        }
        self.change(call, request).await
    }

    /// Writes a new version, or the secret if there is none.
    pub(super) async fn put_or_create(
        &self,
        path: &str,
        value: &SecretValue,
        remark: &Remark,
    ) -> Result<Metadata, SourceError> {
        let call = Call::writing("secretsmanager:PutSecretValue", path);
        match self.write(call, json!({ "SecretId": path }), value).await {
            Ok(version) => {
                let mut metadata = metadata_of(path, version.as_deref(), None);
                if let Err(error) = self.remark(path, remark).await {
                    metadata.warnings.push(remark.unwritten(&error));
                }
                Ok(metadata)
            }
            Err(failure) if failure.is_missing() => self.create(path, value, remark).await,
            Err(failure) => Err(failure.told(call)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_uuid_of_random_numbers() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_ne!(token().unwrap(), token().unwrap());
    }
}
