//! `doppio runs`: what the journals of past and present runs say.

mod find;
mod list;
mod logs;
mod prune;
pub(in crate::cli) mod record;
mod rm;
mod show;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::config::Dirs;
use crate::journal::FindError;
use crate::journal::RemoveError;
use crate::journal::Store;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the runs, the newest first
    List(list::Args),
    /// Show how a run stands: every step, how it ended, how its secrets travelled
    Show(show::Args),
    /// Print what the steps of a run printed
    Logs(logs::Args),
    /// Remove what is kept of some runs
    Rm(rm::Args),
    /// Remove what is kept of old runs
    Prune(prune::Args),
}

/// Answers from the journals.
pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    let store = Store::new(Dirs::new(&context.env, &context.home).runs());
    match command {
        Command::List(args) => list::run(args, &store),
        Command::Show(args) => show::run(args, &store),
        Command::Logs(args) => logs::run(args, &store),
        Command::Rm(args) => rm::run(args, &store),
        Command::Prune(args) => prune::run(args, &store),
    }
}

impl From<RemoveError> for CliError {
    fn from(error: RemoveError) -> Self {
        match &error {
            RemoveError::Running(run) => {
                Self::world(error.to_string()).hint(format!("wait for its end: `doppio runs show {run}`"))
            }
            RemoveError::Failed { source, .. } => Self::world(error.to_string()).cause(source.to_string()),
        }
    }
}

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let hint = match &error {
            FindError::NoRuns => "start one with `doppio run RECIPE`",
            FindError::NotFound(_) => "see them all with `doppio runs list`",
            FindError::Ambiguous { .. } => "give more of its beginning or its end",
            FindError::Unreadable { source, .. } => {
                return Self::world(error.to_string()).cause(source.to_string());
            }
        };
        Self::usage(error.to_string()).hint(hint)
    }
}
