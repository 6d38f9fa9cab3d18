//! `doppio host`: one file a subcommand.

mod add;
mod edit;
pub(in crate::cli) mod export;
mod forget;
mod import;
mod probe;
mod rm;
mod show;
mod test;
mod trust;

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::output;
use crate::cli::output::OutputArgs;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a host to hosts.toml, by the ssh command that its vendor shows
    Add(add::Args),
    /// List the hosts of hosts.toml
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show what is known of a host, and where each of it is from
    Show(show::Args),
    /// Remove a host from hosts.toml
    Rm(rm::Args),
    /// Connect, log in and run a command: what takes how long
    Test(test::Args),
    /// Say how far credentials may go to a host
    Trust(trust::Args),
    /// Examine what a host offers: shell, tmux, memory file system, GPUs
    Probe(probe::Args),
    /// Forget the key of a host that was rebuilt; the next one that it offers is kept
    Forget(forget::Args),
    /// Add the hosts of `ssh_config` to hosts.toml
    ImportSshConfig(import::Args),
    /// Write the hosts of hosts.toml as an `ssh_config`
    ExportSshConfig(export::Args),
}

pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Add(args) => add::run(args, context),
        Command::List { output } => list(*output, context),
        Command::Show(args) => show::run(args, context),
        Command::Rm(args) => rm::run(args, context),
        Command::Test(args) => test::run(args, context),
        Command::Trust(args) => trust::run(args, context),
        Command::Probe(args) => probe::run(args, context),
        Command::Forget(args) => forget::run(args, context),
        Command::ImportSshConfig(args) => import::run(args, context),
        Command::ExportSshConfig(args) => export::run(args, context),
    }
}

fn list(format: OutputArgs, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    if format.is_json() {
        return output::json(&hosts.names());
    }
    let names: String = hosts.names().into_iter().map(|name| name + "\n").collect();
    output::text(&names)
}
