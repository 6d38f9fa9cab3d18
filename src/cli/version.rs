//! `doppio version`.

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;

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
    if args.output.is_json() {
        let facts = serde_json::json!({ "name": "doppio", "version": version, "features": features(true) });
        return output::json(&facts);
    }
    let without = if left_out.is_empty() { String::new() } else { format!(" (without {left_out})") };
    output::text(&format!("doppio {version}{without}\n"))
}
