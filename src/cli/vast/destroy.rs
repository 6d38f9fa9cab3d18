//! `doppio vast destroy`.

use doppio_rented::MachineId;
use doppio_rented::Vast;
use doppio_rented::Vendor;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::all;
use crate::cli::output;
use crate::cli::vast::account::AccountArgs;
use crate::cli::vast::account::YesArg;
use crate::cli::vast::account::machine;

#[derive(Debug, clap::Args)]
#[command(after_help = "A machine that is gone already counts as destroyed.\n\n\
                        Example: doppio vast destroy vast-12345 vast-12346 --yes")]
pub(in crate::cli) struct Args {
    /// The machines: `vast-12345`, or their numbers
    #[arg(required = true, value_name = "MACHINE")]
    machines: Vec<String>,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let ids = args.machines.iter().map(|text| machine(text)).collect::<Result<Vec<_>, _>>()?;
    let vast = args.account.vast(context).await?;
    let names: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    if args.yes.allows(&format!("destroy {} with all that is on them?", names.join(", ")), context)? {
        destroy(&vast, &ids).await?;
    }
    Ok(())
}

/// Destroys them all, whatever happens to one of them.
pub(super) async fn destroy(vast: &Vast, ids: &[MachineId]) -> Result<(), CliError> {
    let mut ends = Vec::new();
    for id in ids {
        let end = vast.destroy(id).await;
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
