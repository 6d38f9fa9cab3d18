//! `doppio runs`: what the journals of past and present runs say.

mod list;
mod logs;
mod show;

use std::process::ExitCode;

use doppio_text::name::RunId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::config::Dirs;
use crate::event::RunStatus;
use crate::journal::FindError;
use crate::journal::Record;
use crate::journal::Store;

/// Arguments of `runs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio runs list\n  doppio runs show\n  \
                        doppio runs logs 7f3a --step train")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the runs, the newest first
    List(list::Args),
    /// Show how a run stands: every step, how it ended, how its secrets travelled
    Show(show::Args),
    /// Print what the steps of a run printed
    Logs(logs::Args),
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    Plain,
    /// For programs
    Json,
}

/// Answers from the journals.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let store = Store::new(Dirs::new(&context.env, &context.home).runs());
    match &args.command {
        Command::List(args) => list::run(args, &store),
        Command::Show(args) => show::run(args, &store),
        Command::Logs(args) => logs::run(args, &store),
    }
}

/// The run that is meant, and what its journal says.
fn find(store: &Store, text: Option<&str>) -> Result<(RunId, Record), CliError> {
    let run = store.find(text)?;
    let record = store.read(&run).map_err(|error| {
        CliError::world(format!("cannot read the journal of run `{run}`")).cause(error.to_string())
    })?;
    Ok((run, record))
}

/// How a run stands, in one word.
fn standing(record: &Record) -> &'static str {
    match record.state.status {
        Some(RunStatus::Success) => "success",
        Some(RunStatus::Failed) => "failed",
        Some(RunStatus::Cancelled) => "cancelled",
        None if record.is_live => "running",
        None => "interrupted",
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
