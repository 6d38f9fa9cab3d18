//! What is left where the secrets came from: the file, the items of the other source, and git,
//! which may be about to keep the file for ever.

use std::fs;
use std::fs::OpenOptions;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::copy;
use crate::cli::secret::ignore;
use crate::cli::secret::import::Args;
use crate::cli::secret::lookup;
use crate::cli::secret::source_error;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Plan;
use crate::cli::terminal::is_attended;
use crate::secret::Deed;
use crate::secret::source::Source;

/// Removes the file where that is wished, and sees to it that git ignores its like.
pub(super) fn of_file(path: &Path, plan: &Plan<'_>, args: &Args, context: &Context) -> Result<(), CliError> {
    let shown = path.display();
    let may_ask = !args.wish.yes && is_attended(context);
    if !plan.is_whole() {
        output::line(&format!("note: `{shown}` still has values that were not imported"));
        if args.remove_source {
            return Err(CliError::world(format!(
                "`{shown}` was not removed: it has values that are nowhere else"
            )));
        }
    } else if args.remove_source
        || (may_ask
            && transfer::ask(&format!("remove `{shown}`, whose values are all stored now?"), context)?)
    {
        remove(path)?;
        output::line(&format!("removed `{shown}`; copies may be left in backups and in git's history"));
    } else {
        output::line(&format!("note: `{shown}` still has the values; `--remove-source` removes it"));
    }
    let folder = context.cwd.join(path);
    let folder = folder.parent().unwrap_or(&context.cwd);
    let Some(root) = ignore::work_tree(folder) else { return Ok(()) };
    let missing = ignore::missing(&root)?;
    if missing.is_empty() {
        return Ok(());
    }
    if may_ask && transfer::ask("write rules to .gitignore that keep such files out of git?", context)? {
        ignore::write(&root)?;
        output::line(&format!(
            "wrote {} to `{}`",
            ignore::rules(missing.len()),
            root.join(".gitignore").display()
        ));
    } else {
        output::line("note: run `doppio secret init` to keep such files out of git");
    }
    Ok(())
}

/// Empties the file before its name goes, for whoever holds it open.
fn remove(path: &Path) -> Result<(), CliError> {
    let emptied = OpenOptions::new().write(true).truncate(true).open(path).and_then(|file| file.sync_all());
    emptied.and_then(|()| fs::remove_file(path)).map_err(|error| {
        CliError::world(format!("cannot remove `{}`", path.display())).cause(error.to_string())
    })
}

/// Removes what has arrived from the other source.
pub(super) async fn of_source(
    from: &dyn Source,
    paths: &[String],
    plan: &Plan<'_>,
    context: &Context,
) -> Result<(), CliError> {
    let scheme = from.kind().scheme;
    for path in paths {
        let label = copy::label(scheme, path);
        if !plan.arrivals().any(|item| item.from == label) {
            continue;
        }
        lookup::record(context, Deed::Remove, path, Some(from.place()), None)?;
        from.delete(path)
            .await
            .map_err(|error| source_error(format!("cannot remove `{path}` from {}", from.place()), &error))?;
        output::line(&format!("removed `{path}` from {}", from.place()));
    }
    Ok(())
}
