//! One question to one source.

use crate::SecretRef;
use crate::SecretValue;
use crate::format;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::expect_value;

/// What was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// None where only the provenance was asked for.
    pub value: Option<SecretValue>,
    /// Where it was, and what is known of it.
    pub metadata: Metadata,
    /// It is the default of a reference, which is not a secret.
    pub is_default: bool,
}

/// What is asked of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) properties: &'a [&'a str],
    pub(super) version: Option<&'a str>,
    /// Whether the value is wanted, or only its provenance.
    pub(super) read: bool,
}

/// The default of a reference as a find.
pub(super) fn stand_in(reference: &SecretRef) -> Found {
    Found {
        value: reference.stand_in(),
        metadata: Metadata {
            place: format!("the default of `{}`", reference.label()),
            ..Metadata::default()
        },
        is_default: true,
    }
}

/// Asks one source. A property can only be seen by reading the value.
pub(super) async fn ask(
    source: &dyn Source,
    path: &str,
    question: Question<'_>,
) -> Result<Found, SourceError> {
    if let Some((first, others)) = question.properties.split_first()
        && let Some(member) = source.member(path, first)
    {
        let properties: Vec<&str> =
            member.rest.iter().map(String::as_str).chain(others.iter().copied()).collect();
        return ask_for(source, &member.path, Question { properties: &properties, ..question }).await;
    }
    ask_for(source, path, question).await
}

async fn ask_for(source: &dyn Source, path: &str, question: Question<'_>) -> Result<Found, SourceError> {
    if question.properties.is_empty() && !question.read {
        let metadata = source.locate(path, question.version).await?;
        return Ok(Found { value: None, metadata, is_default: false });
    }
    if !question.read && source.acts(path).await? {
        let metadata = source.locate(path, question.version).await?;
        return Ok(Found { value: None, metadata, is_default: false });
    }
    let (mut value, metadata) = source.get(path, question.version).await?;
    for name in question.properties {
        let found = format::select_in(&value, name, path).map_err(|cause| SourceError::Unfit { cause })?;
        value = found.ok_or(SourceError::Missing)?;
    }
    expect_value(&metadata.place, value.plain())?;
    Ok(Found { value: question.read.then_some(value), metadata, is_default: false })
}
