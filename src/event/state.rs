//! The state that events add up to.

use serde::Deserialize;
use serde::Serialize;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// Something it depends on is not done.
    Pending,
    /// It could run and has no slot yet.
    Waiting,
    /// An attempt runs.
    Running,
    /// An attempt failed, the next is to come.
    Retrying,
    /// Done.
    Success,
    /// Failed for good.
    Failed,
    /// It did not run, for a reason that is kept.
    Skipped,
    /// It was stopped by a cancel.
    Cancelled,
    /// Its end is not known.
    Lost,
}

/// One step's state.
#[derive(Debug, Clone)]
pub struct StepState {}

/// A whole run's state.
#[derive(Debug, Clone, Default)]
pub struct RunState {}

/// An event that can't follow what came before.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IllegalEvent(pub String);
