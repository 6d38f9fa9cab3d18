//! `destroy`: the end of machines and of their costs.

use doppio_rented::MachineId;
use doppio_rented::Vendor;
use doppio_rented::VendorName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::all;
use crate::cli::output;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::YesArg;
use crate::cli::rented::account::machine;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The machines, by their ids
    #[arg(required = true, value_name = "MACHINE")]
    machines: Vec<String>,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, name: VendorName, context: &Context) -> Result<(), CliError> {
    let ids = args.machines.iter().map(|text| machine(text, name)).collect::<Result<Vec<_>, _>>()?;
    let vendor = args.account.vendor(name, context).await?;
    let names: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    if args.yes.allows(&format!("destroy {} with all that is on them?", names.join(", ")), context)? {
        destroy(vendor.as_ref(), &ids).await?;
    }
    Ok(())
}

/// Destroys them all, whatever happens to one of them.
pub(super) async fn destroy(vendor: &dyn Vendor, ids: &[MachineId]) -> Result<(), CliError> {
    let mut ends = Vec::new();
    for id in ids {
        let end = vendor.destroy(id).await;
        if end.is_ok() {
            output::line(&format!("destroyed `{id}`"));
        }
        ends.push(end.map_err(|error| {
            let error = CliError::from(error);
            let message = format!("`{id}` was not destroyed: {}", error.message.unwrap_or_default());
            CliError { message: Some(message), ..error }
        }));
    }
    all(ends)
}
