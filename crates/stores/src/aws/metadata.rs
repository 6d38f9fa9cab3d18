//! What AWS says of a secret besides its value, and which version of it is meant.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;

use crate::aws::call::Call;
use crate::aws::refusal::Failure;

/// The stage of the version that is in use.
pub(super) const CURRENT: &str = "AWSCURRENT";

/// The stage of the version before it, which AWS moves along.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// The stage of a version that is not in use yet.
pub(super) const PENDING: &str = "AWSPENDING";

/// The tag that says until when a value is good.
pub(super) const EXPIRES: &str = "doppio:expires";

/// A moment as AWS writes it: seconds since 1970, with a fraction.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Moment(f64);

impl Moment {
    /// The second that it is in.
    pub(super) fn timestamp(self) -> Option<jiff::Timestamp> {
        let since = jiff::SignedDuration::try_from_secs_f64(self.0).ok()?;
        jiff::Timestamp::from_second(since.as_secs()).ok()
    }
}

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selector<'a> {
    Current,
    Stage(&'a str),
    Id(&'a str),
}

impl<'a> Selector<'a> {
    pub(super) fn of(version: Option<&'a str>) -> Self {
        match version {
            None | Some("latest" | CURRENT) => Self::Current,
            Some(id) if is_uuid(id) => Self::Id(id),
            Some(stage) => Self::Stage(stage),
        }
    }
}

/// AWS makes identifiers of versions in this form; a stage can have nearly any other.
fn is_uuid(text: &str) -> bool {
    let dashes = |index| matches!(index, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(
            |(index, byte)| {
                if dashes(index) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            },
        )
}

/// A tag of a secret.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

/// The tags of a value that stops being good.
pub(super) fn expiry_tags(end: jiff::Timestamp) -> Value {
    json!([{ "Key": EXPIRES, "Value": end.to_string() }])
}

pub(super) fn metadata_of(path: &str, version: Option<&str>, created: Option<Moment>) -> Metadata {
    Metadata {
        place: format!("AWS secret `{path}`"),
        version: version.map(str::to_owned),
        created: created.and_then(Moment::timestamp),
        ..Metadata::default()
    }
}

/// The stages of each version by its identifier.
type Stages = HashMap<String, Vec<String>>;

/// A secret as a description or a list has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Described {
    pub name: Option<String>,
    #[serde(rename = "ARN")]
    pub arn: Option<String>,
    description: Option<String>,
    created_date: Option<Moment>,
    last_changed_date: Option<Moment>,
    deleted_date: Option<Moment>,
    /// The stages of each version by its identifier, in a description.
    version_ids_to_stages: Option<Stages>,
    /// The same in a list.
    secret_versions_to_stages: Option<Stages>,
    tags: Option<Vec<Tag>>,
}

impl Described {
    /// What a description says.
    pub(super) fn described(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        if self.deleted_date.is_some() {
            return Err(Failure::refused("InvalidRequestException", "deletion")
                .told(Call::reading("secretsmanager:DescribeSecret", path)));
        }
        let metadata = self.staged(path, version, self.version_ids_to_stages.as_ref())?;
        Ok(self.remarked(metadata))
    }

    /// What a list says. It need not tell the stages; then it says no more than that the secret is
    /// there.
    pub(super) fn listed(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        let metadata = match &self.secret_versions_to_stages {
            None if version.is_none() => metadata_of(path, None, self.changed()),
            stages => self.staged(path, version, stages.as_ref())?,
        };
        Ok(self.remarked(metadata))
    }

    /// Until when the value is good.
    pub(super) fn expiry(&self) -> Option<jiff::Timestamp> {
        let mut tags = self.tags.iter().flatten();
        tags.find(|tag| tag.key.as_deref() == Some(EXPIRES))?.value.as_ref()?.parse().ok()
    }

    /// The version that has this stage.
    pub(super) fn at_stage(&self, stage: &str) -> Option<&str> {
        let mut all = self.version_ids_to_stages.iter().flatten();
        all.find(|(_, stages)| stages.iter().any(|found| found == stage)).map(|(id, _)| id.as_str())
    }

    fn changed(&self) -> Option<Moment> {
        self.last_changed_date.or(self.created_date)
    }

    fn remarked(&self, metadata: Metadata) -> Metadata {
        Metadata {
            note: self.description.clone().filter(|note| !note.is_empty()),
            expires: self.expiry(),
            ..metadata
        }
    }

    /// What is known of a version, when AWS told which stages it keeps.
    fn staged(
        &self,
        path: &str,
        version: Option<&str>,
        stages: Option<&Stages>,
    ) -> Result<Metadata, SourceError> {
        let selector = Selector::of(version);
        let is_it = |(id, stages): &(&String, &Vec<String>)| match selector {
            Selector::Current => stages.iter().any(|stage| stage == CURRENT),
            Selector::Stage(wanted) => stages.iter().any(|stage| stage == wanted),
            Selector::Id(wanted) => id.as_str() == wanted,
        };
        // A secret without any version has no value yet.
        let (id, _) = stages.into_iter().flatten().find(is_it).ok_or(SourceError::Missing)?;
        Ok(metadata_of(path, Some(id), self.changed().filter(|_| selector == Selector::Current)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "a1b2c3d4-5678-90ab-cdef-0123456789ab";

    #[test]
    fn a_version_is_a_stage_or_an_identifier() {
        assert_eq!(Selector::of(None), Selector::Current);
        assert_eq!(Selector::of(Some("latest")), Selector::Current);
        assert_eq!(Selector::of(Some("AWSPREVIOUS")), Selector::Stage("AWSPREVIOUS"));
        assert_eq!(Selector::of(Some(ID)), Selector::Id(ID));
    }

    #[test]
    fn a_description_and_a_list_are_read_alike() {
        let found: Described = serde_json::from_value(json!({
            "Name": "x",
            "Description": "",
            "LastChangedDate": 1_523_477_145.713_f64,
            "CreatedDate": 1,
            "VersionIdsToStages": { ID: [CURRENT] },
            "SecretVersionsToStages": { ID: [CURRENT] },
            "Tags": [{ "Key": "a" }, { "Key": EXPIRES, "Value": "2099-01-01T00:00:00Z" }],
        }))
        .unwrap();
        for metadata in [found.described("x", None).unwrap(), found.listed("x", None).unwrap()] {
            assert_eq!(metadata.version.as_deref(), Some(ID));
            assert_eq!(metadata.created.unwrap().to_string(), "2018-04-11T20:05:45Z");
            assert_eq!(metadata.expires.unwrap().to_string(), "2099-01-01T00:00:00Z");
            assert_eq!(metadata.note, None);
        }
        assert_eq!(found.listed("x", Some("AWSPREVIOUS")), Err(SourceError::Missing));
        let bare: Described = serde_json::from_value(json!({ "Name": "x", "Tags": null })).unwrap();
        assert!(bare.listed("x", None).is_ok());
        assert_eq!(bare.described("x", None), Err(SourceError::Missing));
        let deleted: Described = serde_json::from_value(json!({ "DeletedDate": 1.5 })).unwrap();
        assert!(deleted.described("x", None).unwrap_err().to_string().contains("marked for deletion"));
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_none() {
        assert_eq!(Moment(1e300).timestamp(), None);
        assert_eq!(Moment(f64::NAN).timestamp(), None);
    }
}
