//! Why an operation could not be done.

use doppio_hosts::HostError;
use doppio_secrets::SecretError;

use crate::step::Stop;

/// Why an operation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The operation itself: a condition that is false, a value that is not valid.
    #[error("{message}")]
    Failed {
        /// One line.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It was told to stop, and nothing of it runs any more.
    #[error("stopped")]
    Stopped(Stop),
    /// It was told to stop, and what it started may still run.
    #[error("{cause}")]
    Unended {
        /// What is known of it.
        cause: String,
    },
}

impl StepError {
    /// The operation could not be done, in one line.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: None }
    }

    /// The same, and what to do.
    pub fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: Some(hint.into()) }
    }
}
