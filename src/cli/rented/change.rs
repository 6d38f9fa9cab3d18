//! `start`, `stop`, `reboot` and `label`: what changes a machine that exists.

use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::YesArg;
use crate::cli::rented::account::machine;
use crate::cli::rented::words;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StartArgs {
    /// The machine, by its id
    machine: String,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StopArgs {
    /// The machine, by its id
    machine: String,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RebootArgs {
    /// The machine, by its id
    machine: String,
    #[command(flatten)]
    account: AccountArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct LabelArgs {
    /// The machine, by its id
    machine: String,
    /// The label; an empty one takes it away
    label: String,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn start(args: &StartArgs, name: VendorName, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, name)?;
    let vendor = args.account.vendor(name, context).await?;
    let price = words::sum(vendor.show(&id).await?.per_hour);
    if args.yes.allows(&format!("start `{id}`, for {price} an hour?"), context)? {
        vendor.start(&id).await?;
        output::line(&format!("`{id}` starts, for {price} an hour"));
    }
    Ok(())
}

pub(super) async fn stop(args: &StopArgs, name: VendorName, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, name)?;
    args.account.vendor(name, context).await?.stop(&id).await?;
    output::line(&format!("`{id}` stops; its disk is kept and paid for"));
    output::hint(&format!("end all costs: {}", typed(["doppio", name.as_str(), "destroy", &id.to_string()])));
    Ok(())
}

pub(super) async fn reboot(args: &RebootArgs, name: VendorName, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, name)?;
    args.account.vendor(name, context).await?.reboot(&id).await?;
    output::line(&format!("`{id}` reboots"));
    Ok(())
}

pub(super) async fn label(args: &LabelArgs, name: VendorName, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, name)?;
    args.account.vendor(name, context).await?.set_label(&id, &args.label).await?;
    output::line(&format!("`{id}` has the label `{}`", args.label));
    Ok(())
}
