//! `doppio host trust`.

use doppio_hosts::Trust;
use doppio_hosts::with_trust;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::host::edit;
use crate::cli::output;

/// Who else has root on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum TrustChoice {
    /// Somebody else owns it
    Rented,
    /// Several people use it
    Shared,
    /// It is your own
    Owned,
}

impl From<TrustChoice> for Trust {
    fn from(choice: TrustChoice) -> Self {
        match choice {
            TrustChoice::Rented => Self::Rented,
            TrustChoice::Shared => Self::Shared,
            TrustChoice::Owned => Self::Owned,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio host trust gpu-box owned")]
pub(in crate::cli) struct Args {
    /// The host, as hosts.toml calls it
    host: String,
    /// How far credentials may go there
    #[arg(value_enum)]
    trust: TrustChoice,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let trust = Trust::from(args.trust);
    let path = edit::hosts_toml(context, &args.host, |text| with_trust(text, &args.host, trust))?;
    output::line(&format!("`{}` is {} now, in {path}", args.host, trust.word()));
    Ok(())
}
