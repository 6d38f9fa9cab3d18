//! Where secrets are kept: the sources that a command means.

use doppio_secrets::Ladder;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::PREVIOUS;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::error::CliError;
use crate::cli::output;

/// The sources of this machine that Doppio writes to, in the order of the ladder. Others are
/// changed only where `--in` names them.
const LOCAL: [&str; 2] = ["keyring", "file"];

/// The source of this scheme.
pub(super) fn named<'a>(ladder: &'a Ladder, scheme: &str) -> Result<&'a dyn Source, CliError> {
    ladder.source(scheme).map_err(|error| {
        CliError::usage(error.to_string()).hint("`keyring` is the keychain, `file` the age vault")
    })
}

/// The same, if it can be written to.
pub(super) fn writable<'a>(ladder: &'a Ladder, scheme: &str) -> Result<&'a dyn Source, CliError> {
    let source = named(ladder, scheme)?;
    if source.kind().writes {
        return Ok(source);
    }
    Err(CliError::usage(format!("Doppio can't write to {}", source.place()))
        .hint("use `keyring`, the keychain, or `file`, the age vault"))
}

/// Those that `--in` names, else the keychain and the age vault.
pub(super) fn several<'a>(ladder: &'a Ladder, asked: Option<&str>) -> Result<Vec<&'a dyn Source>, CliError> {
    match asked {
        Some(scheme) => Ok(vec![writable(ladder, scheme)?]),
        None => LOCAL.iter().map(|scheme| named(ladder, scheme)).collect(),
    }
}

/// Where a new secret is kept: what was asked for, else the keychain, else the age vault where
/// there is no keychain.
pub(super) async fn target<'a>(ladder: &'a Ladder, asked: Option<&str>) -> Result<&'a dyn Source, CliError> {
    if let Some(scheme) = asked {
        return writable(ladder, scheme);
    }
    let keyring = named(ladder, "keyring")?;
    match keyring.check().await {
        Ok(()) => Ok(keyring),
        Err(SourceError::Absent { .. }) => named(ladder, "file"),
        Err(error) => Err(CliError::of_source("cannot use the keychain".to_owned(), &error)),
    }
}

/// Where a source keeps a name, so that a lookup of the name finds it there.
pub(super) fn path(ladder: &Ladder, source: &dyn Source, name: &SecretName) -> Result<String, CliError> {
    ladder.path_of(name, source).map_err(|error| {
        CliError::usage(format!("`{name}` can't be stored in {}", source.place()))
            .cause(error.to_string())
            .hint(error.hint())
    })
}

/// Where a source keeps what `rotate` puts beside a name: its `previous` value, where there are no
/// versions, and the one that is `pending`. `path` is where the name itself is.
pub(super) fn beside(
    ladder: &Ladder,
    source: &dyn Source,
    path: &str,
    name: &SecretName,
    role: &str,
) -> Result<String, CliError> {
    if let Some(beside) = source.beside(path, role) {
        return Ok(beside);
    }
    let beside: SecretName = format!("{name}.{role}")
        .parse()
        .map_err(|_| CliError::usage(format!("`{name}` is too long to be stored with `.{role}` appended")))?;
    self::path(ladder, source, &beside)
}

/// Whether the value that was found will still be there as an older version when another one is written.
pub(super) fn keeps_versions(source: &dyn Source, found: &Metadata) -> bool {
    source.kind().versions && found.version.is_some()
}

/// What is written beside the value before the last rotation.
pub(super) fn note_of_previous(name: &SecretName) -> String {
    format!("old value of {name}")
}

/// Whether a note may be that of an item: it tells what `rotate` put there from a secret that
/// somebody gave the same name. Not every source tells a note together with the value, nor does
/// every keychain keep one.
pub(super) fn may_have_note(source: &dyn Source, metadata: &Metadata, note: &str) -> bool {
    match &metadata.note {
        Some(found) => found == note,
        None => !LOCAL.contains(&source.kind().scheme) || metadata.created.is_none(),
    }
}

/// Says that the value before the last rotation stays, where it is a secret of its own.
pub(super) async fn tell_of_previous(ladder: &Ladder, source: &dyn Source, name: &SecretName) {
    if source.kind().versions {
        return;
    }
    if let Ok(path) = path(ladder, source, name)
        && let Ok(kept) = beside(ladder, source, &path, name, PREVIOUS)
        && source.locate(&kept, None).await.is_ok()
    {
        output::line(&format!(
            "note: `{kept}`, its value before the last rotation, still exists: {}",
            typed(["doppio", "secret", "rm", &kept])
        ));
    }
}

/// The one source that keeps a name, and its path there: what was asked for, else the first of
/// the keychain and the age vault that has it.
pub(super) async fn holder<'a>(
    ladder: &'a Ladder,
    name: &SecretName,
    asked: Option<&str>,
) -> Result<(&'a dyn Source, String), CliError> {
    for source in several(ladder, asked)? {
        let path = path(ladder, source, name)?;
        match source.locate(&path, None).await {
            Ok(_) => return Ok((source, path)),
            Err(SourceError::Missing | SourceError::Absent { .. }) => {}
            Err(error) => {
                return Err(CliError::of_source(
                    format!("cannot look for `{name}` in {}", source.place()),
                    &error,
                ));
            }
        }
    }
    Err(nowhere(ladder, name, asked))
}

/// What a source calls a name, in words: only where that is something else.
pub(super) fn alias(path: &str, name: &SecretName) -> String {
    if path == name.as_str() { String::new() } else { format!(" as `{path}`") }
}

/// The error when a name is in none of the sources.
pub(super) fn nowhere(ladder: &Ladder, name: &SecretName, asked: Option<&str>) -> CliError {
    let place = asked
        .and_then(|scheme| ladder.source(scheme).ok())
        .map_or_else(|| "the keychain or the age vault".to_owned(), Source::place);
    CliError::world(format!("`{name}` is not stored in {place}"))
        .hint(format!("run `doppio secret why {name}` to see where it comes from"))
}
