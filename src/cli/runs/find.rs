//! Which run is meant.

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::runs::list;
use crate::journal::FindError;
use crate::journal::Record;
use crate::journal::Store;

/// The run that is meant. Where it could be several, they are listed.
pub(super) fn run(store: &Store, text: Option<&str>) -> Result<RunId, CliError> {
    let found = store.find(text);
    if let Err(FindError::Ambiguous { runs, .. }) = &found {
        output::line(list::table(store, runs).draw().trim_end());
    }
    Ok(found?)
}

/// The run that is meant, and what its journal says.
pub(super) fn record(store: &Store, text: Option<&str>) -> Result<(RunId, Record), CliError> {
    let run = run(store, text)?;
    let record = store.read(&run).or_world(format!("cannot read the journal of run `{run}`"))?;
    Ok((run, record))
}
