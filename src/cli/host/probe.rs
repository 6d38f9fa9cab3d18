//! `doppio host probe`: what a host offers to steps.

use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::doctor;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio host probe gpu-box\n  \
                        doppio host probe gpu-box --json | jq '.findings[] | select(.id == \"gpus\")'")]
pub(in crate::cli) struct Args {
    /// The host, as recipes call it
    host: HostId,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    doctor::of_host(&args.host, args.output, context)
}
