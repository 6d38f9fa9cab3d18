//! `doppio secret mv`.

use doppio_secrets::AuditAction;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Needs;
use crate::cli::secret::sources;

#[derive(Debug, clap::Args)]
#[command(after_help = "In the age vault the older versions move too. Recipes of this folder that name the \
                        old one are listed; they are not changed.\n\n\
                        Example: doppio secret mv hf/token huggingface/token")]
pub(in crate::cli) struct Args {
    /// Its name
    from: String,
    /// Its new name
    to: String,
    /// Move it in this source only; else wherever it is in the keychain and the age vault
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let (from, to) = (name(&args.from)?, name(&args.to)?);
    if from == to {
        return Err(CliError::usage(format!("both names are `{to}`")));
    }
    let ladder = lookup::usual_ladder(context)?;
    let mut holders = Vec::new();
    for source in sources::several(&ladder, args.source.as_deref())? {
        let paths = [sources::path(&ladder, source, &from)?, sources::path(&ladder, source, &to)?];
        if has(source, &paths[0]).await? {
            // Seen in every source before anything moves in one.
            if has(source, &paths[1]).await? {
                return Err(CliError::usage(format!("{} already has a `{to}`", source.place())).hint(
                    format!(
                        "if it is not needed, run {} first",
                        typed(["doppio", "secret", "rm", to.as_str(), "--in", source.kind().scheme])
                    ),
                ));
            }
            holders.push((source, paths));
        }
    }
    if holders.is_empty() {
        return Err(sources::nowhere(&ladder, &from, args.source.as_deref()));
    }
    for (source, paths) in holders {
        let place = source.place();
        let moved = [(&from, format!("{place}, now `{to}`")), (&to, format!("{place}, before `{from}`"))];
        let uses =
            moved.map(|(name, place)| lookup::a_use(AuditAction::Move, name.as_str(), Some(place), None));
        lookup::logged(context, uses.to_vec(), async {
            let renamed = source.rename(&paths[0], &paths[1]).await;
            renamed.map_err(|error| CliError::of_source(format!("cannot move `{from}` in {place}"), &error))
        })
        .await?;
        output::line(&format!("moved `{from}` to `{to}` in {}", source.place()));
        sources::tell_of_previous(&ladder, source, &from).await;
    }
    tell_users(context, &from, &to);
    Ok(())
}

async fn has(source: &dyn Source, path: &str) -> Result<bool, CliError> {
    match source.locate(path, None).await {
        Ok(_) => Ok(true),
        Err(SourceError::Missing | SourceError::Absent { .. }) => Ok(false),
        Err(error) => {
            Err(CliError::of_source(format!("cannot look for `{path}` in {}", source.place()), &error))
        }
    }
}

/// Names the recipes of this folder that still say the old name.
fn tell_users(context: &Context, from: &SecretName, to: &SecretName) {
    let mut needs = Needs::new();
    for recipe in needs::recipes_in(&context.cwd).unwrap_or_default() {
        // A recipe that can't be read is for `doppio check` to report.
        needs::collect(&recipe, &mut needs).ok();
    }
    let users = needs.iter().filter(|(reference, _)| reference.name() == Some(from));
    for recipe in users.flat_map(|(_, recipes)| recipes) {
        let shown = recipe.strip_prefix(&context.cwd).unwrap_or(recipe).display();
        output::line(&format!("note: `{shown}` still names `{from}`: write `{to}` there"));
    }
}
