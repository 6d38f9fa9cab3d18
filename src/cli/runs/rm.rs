//! `doppio runs rm`.

use std::collections::HashSet;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::runs::find;
use crate::journal::Store;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio runs rm 7f3a 20261124-101500-09bc")]
pub(in crate::cli) struct Args {
    /// The runs: the beginning or the end of each id
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<(), CliError> {
    // All of them are found before the first one goes.
    let runs = args.runs.iter().map(|run| find::run(store, Some(run))).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    for run in runs.iter().filter(|run| seen.insert(*run)) {
        store.remove(run)?;
        output::line(&format!("removed run `{run}`"));
    }
    Ok(())
}
