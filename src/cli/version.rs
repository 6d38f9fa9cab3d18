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

/// The cargo features, and whether this build has them.
const FEATURES: [(&str, bool); 6] = [
    ("aws", cfg!(feature = "aws")),
    ("azure", cfg!(feature = "azure")),
    ("gcp", cfg!(feature = "gcp")),
    ("kubernetes", cfg!(feature = "kubernetes")),
    ("online", cfg!(feature = "online")),
    ("vault", cfg!(feature = "vault")),
];

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    let features = |built: bool| {
        FEATURES.iter().filter(move |feature| feature.1 == built).map(|feature| feature.0).collect::<Vec<_>>()
    };
    let left_out = features(false).join(", ");
    output::data(&match args.output {
        Form::Plain if left_out.is_empty() => format!("doppio {version}\n"),
        Form::Plain => format!("doppio {version} (without {left_out})\n"),
        Form::Json => {
            let facts =
                serde_json::json!({ "name": "doppio", "version": version, "features": features(true) });
            format!("{facts}\n")
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
