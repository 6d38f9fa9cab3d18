//! Documents: secrets that are JSON objects, and records whose members the source keeps apart.

use doppio_secrets::Ladder;
use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::write_members;

use crate::cli::error::CliError;
use crate::cli::secret::sources;

/// Sets members of the document at `path`, and leaves its others as they are. The document is made if it
/// does not exist.
pub(super) async fn set_members(
    source: &dyn Source,
    path: &str,
    members: &[(&str, &SecretValue)],
    remark: &Remark,
) -> Result<Metadata, CliError> {
    write_members(source, path, members, remark).await.map_err(|error| {
        CliError::of_source(format!("cannot write to `{path}` in {}", source.place()), &error)
    })
}

/// A reference to each member of a document, in the order of its keys.
pub(super) async fn members(
    ladder: &Ladder,
    session: &SecretSession,
    reference: &SecretRef,
) -> Result<Vec<SecretRef>, CliError> {
    let no_members = |why: &str| {
        Err(CliError::usage(format!("`{}` has no members: {why}", reference.label()))
            .hint("name a JSON object, a record of Vault or a Secret of Kubernetes"))
    };
    if reference.property.is_some() {
        return no_members("it is a member itself");
    }
    let keys = match &reference.origin {
        Origin::Source { scheme, path } if ladder.source(scheme).is_ok_and(Source::keeps_members) => {
            let source = sources::named(ladder, scheme)?;
            source.member_keys(path).await.map_err(|error| {
                CliError::of_source(format!("cannot read `{path}` from {}", source.place()), &error)
            })?
        }
        _ => {
            let whole = session.fetch(reference).await?;
            #[expect(clippy::disallowed_methods, reason = "the keys of the document are read")]
            let found = whole.reveal(|text| {
                let found = format::json_members(text)?;
                Some(found.into_iter().map(|(key, _)| key).collect::<Vec<_>>())
            });
            found.unwrap_or_default()
        }
    };
    if keys.is_empty() {
        return no_members("it is not a JSON object, or it is empty");
    }
    let member = |key: String| SecretRef { property: Some(key), ..reference.clone() };
    Ok(keys.into_iter().map(member).collect())
}
