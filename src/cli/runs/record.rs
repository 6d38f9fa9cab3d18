//! A run in its journal, and how it is shown.

use jiff::Timestamp;

use crate::event::RentedMachine;
use crate::event::RunState;
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

/// The machines of a run, with what they have cost until `now` and cost as the run has left them.
pub(super) fn machines_json(state: &RunState, now: Timestamp) -> serde_json::Value {
    let machine = |machine: &RentedMachine| {
        serde_json::json!({
            "id": machine.id,
            "gone": machine.is_gone(),
            "cost": machine.cost(now),
            "per_hour": machine.costs_per_hour(),
            "secrets": machine.secrets,
        })
    };
    state.machines.iter().map(machine).collect()
}

/// The colour of that word.
pub(super) fn colour(record: &Record) -> Colour {
    match record.state.status {
        Some(RunStatus::Success) => Colour::Good,
        Some(RunStatus::Failed) => Colour::Bad,
        Some(RunStatus::Cancelled) | None => Colour::Between,
    }
}
