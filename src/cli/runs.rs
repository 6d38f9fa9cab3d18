//! `doppio runs`: what the journals of past and present runs say.

mod list;
mod logs;
mod record;
mod show;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::config::Dirs;
use crate::journal::FindError;
use crate::journal::Store;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the runs, the newest first
    List(list::Args),
    /// Show how a run stands: every step, how it ended, how its secrets travelled
    Show(show::Args),
    /// Print what the steps of a run printed
    Logs(logs::Args),
}

/// Answers from the journals.
pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    let store = Store::new(Dirs::new(&context.env, &context.home).runs());
    match command {
        Command::List(args) => list::run(args, &store),
        Command::Show(args) => show::run(args, &store),
        Command::Logs(args) => logs::run(args, &store),
    }
}

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let hint = match &error {
            FindError::NoRuns => "start one with `doppio run RECIPE`",
            FindError::NotFound(_) | FindError::Ambiguous { .. } => "see them all with `doppio runs list`",
            FindError::Unreadable { source, .. } => {
                return Self::world(error.to_string()).cause(source.to_string());
            }
        };
        Self::usage(error.to_string()).hint(hint)
    }
}
