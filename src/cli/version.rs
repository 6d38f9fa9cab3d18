//! `doppio version`.

use std::process::ExitCode;

use crate::cli::error::CliError;
use crate::cli::output;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Form::Plain)]
    output: Form,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// One line
    Plain,
    /// One JSON object
    Json,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    output::data(&match args.output {
        Form::Plain => format!("doppio {version}\n"),
        Form::Json => format!("{}\n", serde_json::json!({ "name": "doppio", "version": version })),
    })?;
    Ok(ExitCode::SUCCESS)
}
