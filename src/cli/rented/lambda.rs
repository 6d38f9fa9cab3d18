//! `doppio lambda`: instances of Lambda Cloud, which run until they are destroyed.

use doppio_rented::VendorName;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::rented::catalogue;
use crate::cli::rented::change;
use crate::cli::rented::destroy;
use crate::cli::rented::hire;
use crate::cli::rented::list;
use crate::cli::rented::orphans;
use crate::cli::rented::show;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Look for instances that can be hired
    #[command(after_help = "Examples:\n  doppio lambda search --gpu A10\n  \
                            doppio lambda search --gpus 8 --max-price 30 --json")]
    Search(catalogue::Args),
    /// List the instances of the account, with what they cost
    #[command(after_help = "Example: doppio lambda list --json")]
    List(list::Args),
    /// Show an instance: state, price, and the way to its SSH server
    #[command(after_help = "Example: doppio lambda show lambda-0920582c7ff041399e34823a0be62549")]
    Show(show::Args),
    /// Hire an instance; it costs money until it is destroyed
    #[command(
        after_help = "The account gets the public key if it lacks it, and loses it again with the last \
                            instance that was hired with it.\n\n\
                            Example: doppio lambda create us-west-1:gpu_1x_a10 --max-price 1"
    )]
    Create(hire::Args),
    /// Restart an instance
    #[command(after_help = "Example: doppio lambda reboot lambda-0920582c7ff041399e34823a0be62549")]
    Reboot(change::RebootArgs),
    /// Destroy instances with their disks; they can't be stopped
    #[command(after_help = "An instance that is gone already counts as destroyed.\n\n\
                            Example: doppio lambda destroy lambda-0920582c7ff041399e34823a0be62549 --yes")]
    Destroy(destroy::Args),
    /// List instances whose run is over, and destroy them with --destroy
    #[command(
        after_help = "An instance is known by the name that the run gave it. One whose run is not in the \
                            journal of this machine may belong to a run of another computer: `--destroy` \
                            leaves it alone unless `--unknown` is given, too.\n\n\
                            Examples:\n  doppio lambda orphans\n  doppio lambda orphans --destroy"
    )]
    Orphans(orphans::Args),
}

pub(in crate::cli) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    block_on(context, answer(command, context))?
}

async fn answer(command: &Command, context: &Context) -> Result<(), CliError> {
    let name = VendorName::Lambda;
    match command {
        Command::Search(args) => catalogue::run(args, name, context).await,
        Command::List(args) => list::run(args, name, context).await,
        Command::Show(args) => show::run(args, name, context).await,
        Command::Create(args) => hire::run(args, None, name, context).await,
        Command::Reboot(args) => change::reboot(args, name, context).await,
        Command::Destroy(args) => destroy::run(args, name, context).await,
        Command::Orphans(args) => orphans::run(args, name, context).await,
    }
}
