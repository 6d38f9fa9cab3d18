//! Turns references in shell text into references to environment variables, with the quoting
//! of the place where each stands.

use crate::name::EnvName;

/// A stretch of shell text, or a place where a value belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Shell text as the recipe has it.
    Text(String),
    /// The value of this environment variable, byte for byte, as (part of) one word.
    Value(EnvName),
}

/// Why a value can't stand where it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RewriteError {
    /// The index of the piece that is at fault.
    pub piece: usize,
    /// What is wrong with its place.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

/// The text with every value as a reference to its variable; or all the places where that
/// can't be done.
pub fn rewrite(pieces: &[Piece]) -> Result<String, Vec<RewriteError>> {
    let _ = pieces;
    unimplemented!("SKELETON")
}
