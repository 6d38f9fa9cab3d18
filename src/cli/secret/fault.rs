//! A source's error as the command's.

use doppio_secrets::source::SourceError;

use crate::cli::error::CliError;

/// A source's error as the command's.
pub(super) fn source_error(what: String, error: &SourceError) -> CliError {
    let fault = match error {
        SourceError::Unfit { .. } => CliError::usage(what),
        _ => CliError::world(what),
    };
    let fault = fault.cause(error.to_string());
    match error.hint() {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
