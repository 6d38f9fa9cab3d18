//! `doppio vast`: machines of vast.ai. What only vast.ai can do is here.

mod create;
mod logs;
mod search;
mod ssh_key;

use doppio_rented::VendorName;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::rented::change;
use crate::cli::rented::cost;
use crate::cli::rented::destroy;
use crate::cli::rented::list;
use crate::cli::rented::orphans;
use crate::cli::rented::show;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Look for machines that can be hired
    Search(search::Args),
    /// List the machines of the account, with what they cost
    #[command(after_help = "Example: doppio vast list --json")]
    List(list::Args),
    /// Show a machine: state, price, and the ways to its SSH server
    #[command(after_help = "Example: doppio vast show vast-12345")]
    Show(show::Args),
    /// Hire a machine; it costs money until it is destroyed
    Create(create::Args),
    /// Start a machine that is stopped
    #[command(after_help = "Example: doppio vast start vast-12345 --yes")]
    Start(change::StartArgs),
    /// Stop a machine; its disk is kept and paid for
    #[command(after_help = "Example: doppio vast stop vast-12345")]
    Stop(change::StopArgs),
    /// Restart a machine
    #[command(after_help = "Example: doppio vast reboot vast-12345")]
    Reboot(change::RebootArgs),
    /// Destroy machines with their disks
    #[command(after_help = "A machine that is gone already counts as destroyed.\n\n\
                            Example: doppio vast destroy vast-12345 vast-12346 --yes")]
    Destroy(destroy::Args),
    /// Give a machine another label
    #[command(after_help = "Example: doppio vast label vast-12345 training")]
    Label(change::LabelArgs),
    /// Say which SSH keys the account and its machines let in
    #[command(subcommand)]
    SshKey(ssh_key::Command),
    /// Print the last lines that a machine's container printed
    Logs(logs::Args),
    /// Show what is left, what runs, and what was spent
    #[command(after_help = "Examples:\n  doppio vast cost\n  doppio vast cost --since 30d --json")]
    Cost(cost::Args),
    /// List machines whose run is over, and destroy them with --destroy
    #[command(
        after_help = "A machine is known by the label that the run gave it. One whose run is not in the \
                            journal of this machine may belong to a run of another computer: `--destroy` \
                            leaves it alone unless `--unknown` is given, too.\n\n\
                            Examples:\n  doppio vast orphans\n  doppio vast orphans --destroy"
    )]
    Orphans(orphans::Args),
}

pub(in crate::cli) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    block_on(context, answer(command, context))?
}

async fn answer(command: &Command, context: &Context) -> Result<(), CliError> {
    let name = VendorName::Vast;
    match command {
        Command::Search(args) => search::run(args, context).await,
        Command::List(args) => list::run(args, name, context).await,
        Command::Show(args) => show::run(args, name, context).await,
        Command::Create(args) => create::run(args, context).await,
        Command::Start(args) => change::start(args, name, context).await,
        Command::Stop(args) => change::stop(args, name, context).await,
        Command::Reboot(args) => change::reboot(args, name, context).await,
        Command::Destroy(args) => destroy::run(args, name, context).await,
        Command::Label(args) => change::label(args, name, context).await,
        Command::SshKey(command) => ssh_key::run(command, context).await,
        Command::Logs(args) => logs::run(args, context).await,
        Command::Cost(args) => cost::run(args, name, context).await,
        Command::Orphans(args) => orphans::run(args, name, context).await,
    }
}
