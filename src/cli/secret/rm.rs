//! `doppio secret rm`.

use doppio_secrets::AuditAction;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::terminal::is_attended;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio secret rm huggingface/token\n  \
                        doppio secret rm old/token --in file")]
pub(in crate::cli) struct Args {
    /// Its name
    name: String,
    /// Remove it from this source only; else from the keychain and the age vault
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(&args.name)?;
    let ladder = args.profile.ladder(context)?;
    let mut holders = Vec::new();
    for source in sources::several(&ladder, args.source.as_deref())? {
        let path = sources::path(&ladder, source, &name)?;
        // Only what exists is recorded, and before it is removed.
        if !matches!(source.locate(&path, None).await, Err(SourceError::Missing | SourceError::Absent { .. }))
        {
            holders.push((source, path));
        }
    }
    if holders.is_empty() {
        return Err(sources::nowhere(&ladder, &name, args.source.as_deref()));
    }
    if !args.yes && is_attended(context) && !transfer::ask(&question(&name, &holders).await, context)? {
        output::line("nothing was done");
        return Ok(());
    }
    let mut removed = false;
    for (source, path) in holders {
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
            match source.remains(&path) {
                Some(words) => output::line(&format!("note: {words}")),
                None => {
                    output::line(&format!("note: to have it again, store it: `doppio secret set {name}`"));
                }
            }
            sources::tell_of_previous(&ladder, source, &name).await;
        }
    }
    if removed { Ok(()) } else { Err(sources::nowhere(&ladder, &name, args.source.as_deref())) }
}

/// Says what would go, its older versions too.
async fn question(name: &SecretName, holders: &[(&dyn Source, String)]) -> String {
    let mut places = Vec::new();
    for (source, path) in holders {
        let versions = if source.kind().versions { source.versions(path).await.ok() } else { None };
        let older = versions.map_or(0, |all| all.iter().filter(|version| !version.current).count());
        places.push(match older {
            0 => source.place(),
            1 => format!("{} (with 1 older version)", source.place()),
            count => format!("{} (with {count} older versions)", source.place()),
        });
    }
    format!("remove `{name}` from {}?", places.join(" and "))
}
