//! `doppio vast start`, `stop`, `reboot` and `label`: what changes a machine that exists.

use doppio_rented::Vendor;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::vast::account::AccountArgs;
use crate::cli::vast::account::YesArg;
use crate::cli::vast::account::machine;
use crate::cli::vast::words;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio vast start vast-12345 --yes")]
pub(in crate::cli) struct StartArgs {
    /// The machine: `vast-12345`, or its number
    machine: String,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio vast stop vast-12345")]
pub(in crate::cli) struct StopArgs {
    /// The machine: `vast-12345`, or its number
    machine: String,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio vast reboot vast-12345")]
pub(in crate::cli) struct RebootArgs {
    /// The machine: `vast-12345`, or its number
    machine: String,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio vast label vast-12345 training")]
pub(in crate::cli) struct LabelArgs {
    /// The machine: `vast-12345`, or its number
    machine: String,
    /// The label; an empty one takes it away
    label: String,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn start(args: &StartArgs, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine)?;
    let vast = args.account.vast(context).await?;
    let price = words::sum(vast.show(&id).await?.per_hour);
    if args.yes.allows(&format!("start `{id}`, for {price} an hour?"), context)? {
        vast.start(&id).await?;
        output::line(&format!("`{id}` starts, for {price} an hour"));
    }
    Ok(())
}

pub(super) async fn stop(args: &StopArgs, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine)?;
    args.account.vast(context).await?.stop(&id).await?;
    output::line(&format!("`{id}` stops; its disk is kept and paid for"));
    output::hint(&format!("end all costs: {}", typed(["doppio", "vast", "destroy", &id.to_string()])));
    Ok(())
}

pub(super) async fn reboot(args: &RebootArgs, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine)?;
    args.account.vast(context).await?.reboot(&id).await?;
    output::line(&format!("`{id}` reboots"));
    Ok(())
}

pub(super) async fn label(args: &LabelArgs, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine)?;
    args.account.vast(context).await?.set_label(&id, &args.label).await?;
    output::line(&format!("`{id}` has the label `{}`", args.label));
    Ok(())
}
