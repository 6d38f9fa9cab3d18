//! What AWS reports about a secret besides its value, and which version of it is meant.

use std::collections::HashMap;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretListEntry;
use aws_sdk_secretsmanager::types::Tag;

use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;

use crate::aws::fault::Deed;
use crate::aws::fault::Trouble;
use crate::aws::time;

/// The stage of the version that is in use.
pub(super) const CURRENT: &str = "AWSCURRENT";

/// The tag that says until when a value is good.
pub(super) const EXPIRES: &str = "doppio:expires";

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    Current,
    Stage(&'a str),
    Id(&'a str),
}

impl<'a> Wanted<'a> {
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

pub(super) fn expires(time: jiff::Timestamp) -> Tag {
    Tag::builder().key(EXPIRES).value(time.to_string()).build()
}

pub(super) fn facts(path: &str, version: Option<&str>, created: Option<&DateTime>) -> Metadata {
    Metadata {
        place: format!("AWS secret `{path}`"),
        version: version.map(str::to_owned),
        created: created.and_then(time),
        ..Metadata::default()
    }
}

pub(super) fn described(
    path: &str,
    version: Option<&str>,
    found: &DescribeSecretOutput,
) -> Result<Metadata, SourceError> {
    if found.deleted_date().is_some() {
        return Err(Trouble::refused("InvalidRequestException", "deletion").tell(Deed {
            action: "secretsmanager:DescribeSecret",
            path,
            writes: false,
        }));
    }
    let changed = found.last_changed_date().or_else(|| found.created_date());
    let mut facts = staged(path, version, found.version_ids_to_stages(), changed)?;
    facts.note = found.description().filter(|note| !note.is_empty()).map(str::to_owned);
    facts.expires = expiry(found.tags());
    Ok(facts)
}

/// What is known of a version, when AWS told which stages it keeps.
fn staged(
    path: &str,
    version: Option<&str>,
    stages: Option<&HashMap<String, Vec<String>>>,
    changed: Option<&DateTime>,
) -> Result<Metadata, SourceError> {
    let wanted = Wanted::of(version);
    let is_it = |(id, stages): &(&String, &Vec<String>)| match wanted {
        Wanted::Current => stages.iter().any(|stage| stage == CURRENT),
        Wanted::Stage(wanted) => stages.iter().any(|stage| stage == wanted),
        Wanted::Id(wanted) => id.as_str() == wanted,
    };
    // A secret without any version has no value yet.
    let (id, _) = stages.into_iter().flatten().find(is_it).ok_or(SourceError::Missing)?;
    Ok(facts(path, Some(id), changed.filter(|_| wanted == Wanted::Current)))
}

pub(super) fn expiry(tags: &[Tag]) -> Option<jiff::Timestamp> {
    tags.iter().find(|tag| tag.key() == Some(EXPIRES))?.value()?.parse().ok()
}

/// What a list says of a secret.
pub(super) fn listed(
    path: &str,
    version: Option<&str>,
    entry: &SecretListEntry,
) -> Result<Metadata, SourceError> {
    let changed = entry.last_changed_date().or_else(|| entry.created_date());
    let stages = entry.secret_versions_to_stages();
    // A list need not tell the stages; then it says no more than that the secret is there.
    let mut facts = match stages {
        None if version.is_none() => facts(path, None, changed),
        stages => staged(path, version, stages, changed)?,
    };
    facts.note = entry.description().filter(|note| !note.is_empty()).map(str::to_owned);
    facts.expires = expiry(entry.tags());
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_stage_or_an_identifier() {
        let id = "a1b2c3d4-5678-90ab-cdef-0123456789ab";
        assert_eq!(Wanted::of(None), Wanted::Current);
        assert_eq!(Wanted::of(Some("latest")), Wanted::Current);
        assert_eq!(Wanted::of(Some("AWSPREVIOUS")), Wanted::Stage("AWSPREVIOUS"));
        assert_eq!(Wanted::of(Some(id)), Wanted::Id(id));
        let stages = HashMap::from([(id.to_owned(), vec![CURRENT.to_owned()])]);
        assert_eq!(staged("x", None, Some(&stages), None).unwrap().version.as_deref(), Some(id));
        assert_eq!(staged("x", Some("AWSPREVIOUS"), Some(&stages), None), Err(SourceError::Missing));
    }
}
