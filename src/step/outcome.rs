//! How an operation ended.

use std::collections::HashMap;

use doppio_hosts::HostError;
use doppio_secrets::SecretError;

use crate::event::End;
use crate::step::Stop;
use crate::step::Value;

/// A process that is over, and what it printed (at most [`Ended::KEPT`] bytes of each stream).
#[derive(Debug, Clone)]
pub struct Ended {
    /// How.
    pub end: End,
    /// Standard output without its last newline.
    pub stdout: Value,
    /// Standard error, likewise.
    pub stderr: Value,
}

impl Ended {
    /// Bytes of each stream that are kept for captures: the last ones.
    pub const KEPT: usize = 1 << 20;
}

/// The result of an operation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended; `Exit { code: 0 }` is success.
    pub end: End,
    /// What it printed, if it ran a command.
    pub printed: Option<(Value, Value)>,
    /// Its named outputs.
    pub outputs: HashMap<String, Value>,
    /// Variables that it sets.
    pub sets: Vec<(String, Value)>,
}

impl Outcome {
    /// Done, with nothing to pass on.
    pub fn success() -> Self {
        Self::ended(End::Exit { code: 0 })
    }

    /// Ended like this, with nothing to pass on.
    pub fn ended(end: End) -> Self {
        Self { end, printed: None, outputs: HashMap::new(), sets: Vec::new() }
    }
}

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
    /// It was told to stop.
    #[error("stopped")]
    Stopped(Stop),
}

impl StepError {
    /// The operation could not be done, in one line.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), hint: None }
    }
}
