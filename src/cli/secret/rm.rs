//! `doppio secret rm`.

use doppio_secrets::AuditAction;
use doppio_secrets::source::SourceError;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup;
use crate::cli::secret::sources;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio secret rm huggingface/token\n  \
                        doppio secret rm old/token --in file")]
pub(in crate::cli) struct Args {
    /// Its name
    name: String,
    /// Remove it from this source only; else from the keychain and the age vault
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(&args.name)?;
    let ladder = lookup::usual_ladder(context)?;
    let mut removed = false;
    for source in sources::several(&ladder, args.source.as_deref())? {
        let path = sources::path(&ladder, source, &name)?;
        // Only what exists is recorded, and before it is removed.
        if let Err(SourceError::Missing | SourceError::Absent { .. }) = source.locate(&path, None).await {
            continue;
        }
        let what = lookup::a_use(AuditAction::Remove, name.as_str(), Some(source.place()), None);
        let is_gone = lookup::logged(context, vec![what], async {
            match source.delete(&path).await {
                Ok(()) => Ok(true),
                Err(SourceError::Missing | SourceError::Absent { .. }) => Ok(false),
                Err(error) => Err(CliError::of_source(
                    format!("cannot remove `{name}` from {}", source.place()),
                    &error,
                )),
            }
        });
        if is_gone.await? {
            removed = true;
            output::line(&format!("removed `{name}` from {}", source.place()));
            if let Some(words) = source.remains(&path) {
                output::line(&format!("note: {words}"));
            }
            sources::tell_of_previous(&ladder, source, &name).await;
        }
    }
    if removed {
        return Ok(());
    }
    Err(sources::nowhere(&ladder, &name, args.source.as_deref()))
}
