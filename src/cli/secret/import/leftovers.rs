//! What is left where the secrets came from: the file, the items of the other source, and git,
//! which may be about to keep the file for ever.

use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use doppio_secrets::AuditAction;
use doppio_secrets::SecretValue;
use doppio_secrets::source::Source;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::copy;
use crate::cli::secret::ignore;
use crate::cli::secret::import::Args;
use crate::cli::secret::input;
use crate::cli::secret::lookup;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Plan;
use crate::cli::terminal::is_attended;

/// Removes the file where that is wished, and sees to it that git ignores its like. `text` is what was
/// read of it, `besides` what it holds besides secrets: then it stays.
pub(super) fn of_file(
    path: &Path,
    text: &SecretValue,
    besides: Option<&str>,
    plan: &Plan<'_>,
    args: &Args,
    context: &Context,
) -> Result<(), CliError> {
    let shown = path.display();
    let may_ask = !args.wish.yes && is_attended(context);
    if !plan.is_whole() {
        output::line(&format!("note: `{shown}` still has values that were not imported"));
        if args.remove_source {
            return Err(CliError::world(format!(
                "`{shown}` was not removed: it holds values that are stored nowhere else"
            )));
        }
    } else if let Some(besides) = besides {
        output::line(&format!("note: `{shown}` stays, for {besides}"));
        if args.remove_source {
            return Err(CliError::world(format!("`{shown}` was not removed: {besides}"))
                .hint("all its secrets are stored: remove them from it by hand, or the file"));
        }
    } else if args.remove_source
        || (may_ask
            && transfer::ask(&format!("remove `{shown}`, whose values are all stored now?"), context)?)
    {
        remove(path, text)?;
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

/// Empties the file before its name goes, for whoever holds it open; if what was read is all that
/// it holds.
fn remove(path: &Path, text: &SecretValue) -> Result<(), CliError> {
    let shown = path.display();
    let cannot =
        |error: io::Error| CliError::world(format!("cannot remove `{shown}`")).cause(error.to_string());
    let left =
        |why: &str, hint: &str| Err(CliError::world(format!("`{shown}` was not removed: {why}")).hint(hint));
    if path.is_symlink() {
        return left("it is a link", "remove by hand the file that it points to, and the link");
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags.bits().cast_signed());
    let file = options.open(path).map_err(cannot)?;
    let found = file.metadata().map_err(cannot)?;
    if !found.is_file() {
        return left("it is not a regular file", "remove by hand where the values came from");
    }
    if found.nlink() > 1 {
        return left(
            "it has another name (a hard link), whose content would be erased too",
            "remove both by hand",
        );
    }
    // What somebody added meanwhile is stored nowhere else.
    let is_same = input::read(&file).is_ok_and(|now| now.is_same(text));
    let is_there = fs::symlink_metadata(path)
        .is_ok_and(|there| (there.dev(), there.ino()) == (found.dev(), found.ino()));
    if !is_same || !is_there {
        return left("it changed after it was read", "repeat the command: what is already stored is skipped");
    }
    file.set_len(0).and_then(|()| file.sync_all()).and_then(|()| fs::remove_file(path)).map_err(cannot)
}

/// Removes what has arrived from the other source.
pub(super) async fn of_source(
    from: &dyn Source,
    paths: &[String],
    plan: &Plan<'_>,
    args: &Args,
    context: &Context,
) -> Result<(), CliError> {
    let scheme = from.kind().scheme;
    let has_arrived =
        |path: &&String| plan.arrivals().any(|item| item.from == copy::label(scheme, path.as_str()));
    let paths: Vec<&String> = paths.iter().filter(has_arrived).collect();
    if !may_go_with_versions(from, &paths, args, context).await? {
        output::line(&format!("note: {} still has the values", from.place()));
        return Ok(());
    }
    for path in paths {
        lookup::record(context, AuditAction::Remove, path, Some(from.place()), None)?;
        from.delete(path).await.map_err(|error| {
            CliError::of_source(format!("cannot remove `{path}` from {}", from.place()), &error)
        })?;
        output::line(&format!("removed `{path}` from {}", from.place()));
        if let Some(words) = from.remains(path) {
            output::line(&format!("note: {words}"));
        }
    }
    Ok(())
}

/// Says which older versions go with what was imported, for those were not; asks, unless a yes
/// was given beforehand.
async fn may_go_with_versions(
    from: &dyn Source,
    paths: &[&String],
    args: &Args,
    context: &Context,
) -> Result<bool, CliError> {
    if !from.kind().versions {
        return Ok(true);
    }
    let mut has_older = false;
    for path in paths {
        let count = match from.versions(path).await {
            Ok(versions) => versions.iter().filter(|version| !version.current && version.readable).count(),
            Err(error) => {
                let what = format!("cannot see which older versions of `{path}` {} has", from.place());
                return Err(CliError::of_source(what, &error));
            }
        };
        if count > 0 {
            let versions = if count == 1 { "version".to_owned() } else { format!("{count} versions") };
            output::line(&format!(
                "note: the older {versions} of `{path}` in {} {} not imported",
                from.place(),
                if count == 1 { "was" } else { "were" }
            ));
            has_older = true;
        }
    }
    Ok(!has_older
        || args.wish.yes
        || transfer::ask(&format!("remove them from {} anyway?", from.place()), context)?)
}
