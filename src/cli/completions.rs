//! `doppio completions`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::cli::error::CliError;
use crate::cli::output;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: doppio completions bash > ~/.local/share/bash-completion/completions/doppio"
)]
pub(super) struct Args {
    /// The shell to complete in
    shell: Shell,
}

/// Prints them for this command line.
pub(super) fn run(args: &Args, mut command: clap::Command) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "doppio", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
