//! `doppio vast`: machines that are hired from vast.ai, one file a subcommand.

mod account;
mod change;
mod cost;
mod create;
mod destroy;
mod list;
mod logs;
mod orphans;
mod search;
mod show;
mod ssh_key;
mod words;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Look for machines that can be hired
    Search(search::Args),
    /// List the machines of the account, with what they cost
    List(list::Args),
    /// Show a machine: state, price, and the ways to its SSH server
    Show(show::Args),
    /// Hire a machine; it costs money until it is destroyed
    Create(create::Args),
    /// Start a machine that is stopped
    Start(change::StartArgs),
    /// Stop a machine; its disk is kept and paid for
    Stop(change::StopArgs),
    /// Restart a machine
    Reboot(change::RebootArgs),
    /// Destroy machines with their disks
    Destroy(destroy::Args),
    /// Give a machine another label
    Label(change::LabelArgs),
    /// Say which SSH keys the account and its machines let in
    #[command(subcommand)]
    SshKey(ssh_key::Command),
    /// Print the last lines that a machine's container printed
    Logs(logs::Args),
    /// Show what is left, what runs, and what was spent
    Cost(cost::Args),
    /// List machines whose run is over, and destroy them with --destroy
    Orphans(orphans::Args),
}

pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Search(args) => done(context, search::run(args, context)),
        Command::List(args) => done(context, list::run(args, context)),
        Command::Show(args) => done(context, show::run(args, context)),
        Command::Create(args) => done(context, create::run(args, context)),
        Command::Start(args) => done(context, change::start(args, context)),
        Command::Stop(args) => done(context, change::stop(args, context)),
        Command::Reboot(args) => done(context, change::reboot(args, context)),
        Command::Destroy(args) => done(context, destroy::run(args, context)),
        Command::Label(args) => done(context, change::label(args, context)),
        Command::SshKey(command) => done(context, ssh_key::run(command, context)),
        Command::Logs(args) => done(context, logs::run(args, context)),
        Command::Cost(args) => done(context, cost::run(args, context)),
        Command::Orphans(args) => done(context, orphans::run(args, context)),
    }
}

fn done(context: &Context, work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    block_on(context, work)?
}
