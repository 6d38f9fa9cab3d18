//! `doppio version`.

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::output::OutputFormat;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: OutputArgs,
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

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let version = env!("CARGO_PKG_VERSION");
    let features = |built: bool| {
        FEATURES.iter().filter(move |feature| feature.1 == built).map(|feature| feature.0).collect::<Vec<_>>()
    };
    let left_out = features(false).join(", ");
    match args.output.format {
        OutputFormat::Plain if left_out.is_empty() => output::text(&format!("doppio {version}\n")),
        OutputFormat::Plain => output::text(&format!("doppio {version} (without {left_out})\n")),
        OutputFormat::Json => output::json(
            &serde_json::json!({ "name": "doppio", "version": version, "features": features(true) }),
        ),
    }
}
