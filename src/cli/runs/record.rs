//! A run in its journal, and how it is shown.

use crate::event::RunStatus;
use crate::journal::Record;
use crate::ui::table::Colour;

/// How a run stands, in one word.
pub(in crate::cli) fn standing(record: &Record) -> &'static str {
    match record.state.status {
        Some(RunStatus::Success) => "success",
        Some(RunStatus::Failed) => "failed",
        Some(RunStatus::Cancelled) => "cancelled",
        None if record.is_live => "running",
        None => "interrupted",
    }
}

/// The colour of that word.
pub(super) fn colour(record: &Record) -> Colour {
    match record.state.status {
        Some(RunStatus::Success) => Colour::Good,
        Some(RunStatus::Failed) => Colour::Bad,
        Some(RunStatus::Cancelled) | None => Colour::Between,
    }
}
