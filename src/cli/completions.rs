//! `doppio completions`.

use clap_complete::Shell;

use crate::cli::error::CliError;
use crate::cli::output;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: doppio completions bash > ~/.local/share/bash-completion/completions/doppio"
)]
pub(super) struct Args {
    /// The shell to complete in
    shell: Shell,
}

/// Prints them for this command line.
pub(super) fn run(args: &Args, mut command: clap::Command) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "doppio", &mut script);
    output::data(&script)
}
