//! What a step leaves behind: its status, its end, and the values for those that follow.

use std::collections::HashMap;

use doppio_secrets::Mask;
use doppio_secrets::Masked;

use crate::engine::attempt::end_of;
use crate::engine::attempt::end_of_panic;
use crate::event::End;
use crate::event::StepStatus;
use crate::step::Outcome;
use crate::step::StepError;
use crate::step::StepResult;
use crate::step::Value;

/// How an attempt ended, and what it gave.
pub(super) struct Over {
    pub end: End,
    pub outcome: Option<Outcome>,
}

impl Over {
    /// From what the attempt returned.
    pub(super) fn of(result: Result<Outcome, StepError>, mask: &Mask) -> Self {
        match result {
            Ok(outcome) => Self { end: outcome.end.clone(), outcome: Some(outcome) },
            Err(error) => Self { end: end_of(error, mask), outcome: None },
        }
    }

    /// From a panic's words.
    pub(super) fn of_panic(words: Masked, mask: &Mask) -> Self {
        Self { end: end_of_panic(words, mask), outcome: None }
    }

    /// The status of a step whose last attempt this was.
    pub(super) fn status(&self) -> StepStatus {
        match &self.end {
            end if end.is_success() => StepStatus::Success,
            End::Cancelled => StepStatus::Cancelled,
            End::Lost { .. } => StepStatus::Lost,
            _ => StepStatus::Failed,
        }
    }
}

/// The result that later steps can refer to.
pub(super) fn result(status: StepStatus, end: Option<&End>, outcome: Option<Outcome>) -> StepResult {
    let (printed, outputs) =
        outcome.map_or((None, HashMap::new()), |outcome| (outcome.printed, outcome.outputs));
    let (stdout, stderr) =
        printed.unwrap_or_else(|| (Value::Plain(String::new()), Value::Plain(String::new())));
    let exit_code = match end {
        Some(End::Exit { code }) => Some(*code),
        _ => None,
    };
    StepResult { status: status.to_string(), exit_code, stdout, stderr, outputs }
}
