//! What is known while a run goes on: variables, results of steps, the run itself.

use std::collections::HashMap;

use crate::name::HostId;
use crate::name::RunId;
use crate::name::StepId;
use crate::secret::SecretValue;

/// The value of a variable or a result.
#[derive(Debug, Clone)]
pub enum Value {
    /// Ordinary text.
    Plain(String),
    /// Text that contains a secret: it may go where secrets may go.
    Secret(SecretValue),
}

/// What a finished step left behind.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// `success`, `failed`, `skipped`, `cancelled` or `lost`.
    pub status: String,
    /// Its exit code, if it ran a command to its end.
    pub exit_code: Option<i32>,
    /// Standard output without its last newline.
    pub stdout: Value,
    /// Standard error, likewise.
    pub stderr: Value,
    /// Its `outputs`.
    pub outputs: HashMap<String, Value>,
}

/// A snapshot for one attempt; the dispatcher owns the original.
#[derive(Debug, Clone)]
pub struct Values {
    /// Variables that steps have set, and all those of the recipe.
    pub variables: HashMap<String, Value>,
    /// Results of finished steps.
    pub steps: HashMap<StepId, StepResult>,
    /// The run.
    pub run: RunId,
    /// The recipe's name.
    pub recipe: String,
    /// When the run began, in RFC 3339.
    pub now: String,
    /// The run's target.
    pub target: Option<HostId>,
}
