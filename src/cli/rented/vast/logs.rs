//! `doppio vast logs`.

use doppio_rented::VendorName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::rented::account::AccountArgs;
use crate::cli::rented::account::machine;

#[derive(Debug, clap::Args)]
#[command(after_help = "It is what the container printed, not what runs of Doppio printed: that is in \
                        `doppio runs logs`.\n\nExample: doppio vast logs vast-12345 --tail 50")]
pub(in crate::cli) struct Args {
    /// The machine: `vast-12345`, or its number
    machine: String,
    /// How many lines
    #[arg(long, value_name = "N", default_value_t = 200)]
    tail: usize,
    #[command(flatten)]
    account: AccountArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let id = machine(&args.machine, VendorName::Vast)?;
    let text = args.account.vendor(VendorName::Vast, context).await?.logs(&id, args.tail).await?;
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    output::text(&format!("{text}{end}"))
}
