//! What the server thinks of a token.

use doppio_secrets::source::SourceError;

/// What the server thinks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// The server says that it is not valid.
    Dead,
    /// It may not even look at itself.
    Hidden,
}

/// A task of ours ended unexpectedly.
pub(super) fn broke_off(what: &str) -> SourceError {
    SourceError::unreachable(format!("{what} was aborted"), "try again, and report it if it happens again")
}
