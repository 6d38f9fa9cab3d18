//! `doppio runpod`: pods of `RunPod`.

use doppio_rented::VendorName;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::rented::catalogue;
use crate::cli::rented::change;
use crate::cli::rented::cost;
use crate::cli::rented::destroy;
use crate::cli::rented::hire;
use crate::cli::rented::hire::Container;
use crate::cli::rented::list;
use crate::cli::rented::orphans;
use crate::cli::rented::show;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Look for GPUs that can be hired
    #[command(after_help = "Examples:\n  doppio runpod search --gpu RTX_4090 --max-price 1\n  \
                            doppio runpod search --gpus 8 --gpu H100 --json")]
    Search(catalogue::Args),
    /// List the pods of the account, with what they cost
    #[command(after_help = "Example: doppio runpod list --json")]
    List(list::Args),
    /// Show a pod: state, price, and the way to its SSH server
    #[command(after_help = "Example: doppio runpod show runpod-x7aq2")]
    Show(show::Args),
    /// Hire a pod; it costs money until it is destroyed
    #[command(
        after_help = "The public key goes into the pod's variable PUBLIC_KEY, which RunPod's own images \
                            let in.\n\nExample: doppio runpod create 'SECURE:1:NVIDIA GeForce RTX 4090' \
                            --image runpod/pytorch --disk 50 --max-price 1"
    )]
    Create {
        #[command(flatten)]
        container: Container,
        #[command(flatten)]
        args: hire::Args,
    },
    /// Start a pod that is stopped
    #[command(after_help = "Example: doppio runpod start runpod-x7aq2 --yes")]
    Start(change::StartArgs),
    /// Stop a pod; its disk is kept and paid for
    #[command(after_help = "It starts again only while its own machine has free GPUs.\n\n\
                            Example: doppio runpod stop runpod-x7aq2")]
    Stop(change::StopArgs),
    /// Restart a pod
    #[command(after_help = "Example: doppio runpod reboot runpod-x7aq2")]
    Reboot(change::RebootArgs),
    /// Destroy pods with their disks
    #[command(after_help = "A pod that is gone already counts as destroyed.\n\n\
                            Example: doppio runpod destroy runpod-x7aq2 --yes")]
    Destroy(destroy::Args),
    /// Give a pod another name, which is its label
    #[command(after_help = "Example: doppio runpod label runpod-x7aq2 training")]
    Label(change::LabelArgs),
    /// Show what runs, and what was spent
    #[command(after_help = "Examples:\n  doppio runpod cost\n  doppio runpod cost --since 30d --json")]
    Cost(cost::Args),
    /// List pods whose run is over, and destroy them with --destroy
    #[command(after_help = "A pod is known by the name that the run gave it. One whose run is not in the \
                            journal of this machine may belong to a run of another computer: `--destroy` \
                            leaves it alone unless `--unknown` is given, too.\n\n\
                            Examples:\n  doppio runpod orphans\n  doppio runpod orphans --destroy")]
    Orphans(orphans::Args),
}

pub(in crate::cli) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    block_on(context, answer(command, context))?
}

async fn answer(command: &Command, context: &Context) -> Result<(), CliError> {
    let name = VendorName::Runpod;
    match command {
        Command::Search(args) => catalogue::run(args, name, context).await,
        Command::List(args) => list::run(args, name, context).await,
        Command::Show(args) => show::run(args, name, context).await,
        Command::Create { container, args } => hire::run(args, Some(container), name, context).await,
        Command::Start(args) => change::start(args, name, context).await,
        Command::Stop(args) => change::stop(args, name, context).await,
        Command::Reboot(args) => change::reboot(args, name, context).await,
        Command::Destroy(args) => destroy::run(args, name, context).await,
        Command::Label(args) => change::label(args, name, context).await,
        Command::Cost(args) => cost::run(args, name, context).await,
        Command::Orphans(args) => orphans::run(args, name, context).await,
    }
}
