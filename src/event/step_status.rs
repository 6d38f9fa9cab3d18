//! How a step stands.

use std::fmt;

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

impl StepStatus {
    /// Whether nothing can happen to the step any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Skipped | Self::Cancelled | Self::Lost)
    }

    /// The word for it, as recipes, the journal and people use it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl StepStatus {
    /// Where a step must stand for it to end with this status; nowhere if it is no end.
    pub(super) fn before_end(self) -> &'static [Self] {
        match self {
            Self::Success | Self::Failed | Self::Lost => &[Self::Running],
            Self::Cancelled => &[Self::Pending, Self::Waiting, Self::Running, Self::Retrying],
            _ => &[],
        }
    }
}
