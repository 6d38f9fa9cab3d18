//! Why a provider's credential is not available.

/// Why a provider's credential is not available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct ProviderError {
    /// What is wrong: a file's name and the location, never what is in it.
    pub cause: String,
    /// What to do.
    pub hint: String,
}
