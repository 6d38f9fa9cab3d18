//! A run in its journal, and how it is shown.

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::event::RunStatus;
use crate::journal::Record;
use crate::journal::Store;

/// The run that is meant, and what its journal says.
pub(super) fn find(store: &Store, text: Option<&str>) -> Result<(RunId, Record), CliError> {
    let run = store.find(text)?;
    let record = store.read(&run).or_world(format!("cannot read the journal of run `{run}`"))?;
    Ok((run, record))
}

/// How a run stands, in one word.
pub(super) fn standing(record: &Record) -> &'static str {
    match record.state.status {
        Some(RunStatus::Success) => "success",
        Some(RunStatus::Failed) => "failed",
        Some(RunStatus::Cancelled) => "cancelled",
        None if record.is_live => "running",
        None => "interrupted",
    }
}
