//! `doppio secret rm`.

use std::process::ExitCode;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::source_error;
use crate::name::SecretName;
use crate::secret::source::SourceError;

/// Arguments of `secret rm`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret rm huggingface/token")]
pub(super) struct Args {
    /// Its name
    name: String,
    /// Remove it from this place only: `keyring` or `file`
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let name: SecretName = args.name.parse().map_err(|_| CliError::usage("this is not a secret name"))?;
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    if let Some(scheme) = &args.source {
        ladder.source(scheme).map_err(|error| CliError::usage(error.to_string()))?;
    }
    let mut removed = false;
    for source in ladder.writable() {
        if args.source.as_ref().is_some_and(|scheme| scheme != source.kind().scheme) {
            continue;
        }
        match source.delete(name.as_str()).await {
            Ok(()) => {
                removed = true;
                output::line(&format!("removed `{name}` from {}", source.place()));
            }
            Err(SourceError::Missing | SourceError::Absent { .. }) => {}
            Err(error) => {
                return Err(source_error(format!("cannot remove `{name}` from {}", source.place()), &error));
            }
        }
    }
    if removed {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::world(format!("`{name}` is not stored in the keychain or the vault"))
        .hint(format!("run `doppio secret why {name}` to see where it comes from")))
}
