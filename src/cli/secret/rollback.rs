//! `doppio secret rollback`.

use doppio_secrets::AuditAction;
use doppio_secrets::source::PREVIOUS;
use doppio_secrets::source::Remark;
use doppio_secrets::source::SourceError;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::reference;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::sources;

#[derive(Debug, clap::Args)]
#[command(after_help = "The older value becomes a new version; the one in use stays in the history. In a \
                        source without versions, `@previous` is what `rotate` kept, and the two change \
                        places.\n\n\
                        Examples:\n  doppio secret rollback huggingface/token@2\n  \
                        doppio secret rollback huggingface/token@previous")]
pub(in crate::cli) struct Args {
    /// Its name and the version to go back to, as `huggingface/token@2`
    #[arg(value_name = "NAME@VERSION")]
    target: String,
    /// The source it is in; else the keychain or the age vault, whichever has it
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let target = reference(&args.target)?;
    let (Some(name), Some(version), None, None) =
        (target.name(), &target.version, &target.property, &target.default)
    else {
        return Err(CliError::usage("a name and a version are needed, and nothing else")
            .hint("as in `doppio secret rollback huggingface/token@2`")
            .hint("`doppio secret history NAME` lists the versions"));
    };
    let ladder = args.profile.ladder(context)?;
    let (source, path) = sources::holder(&ladder, name, args.source.as_deref()).await?;
    let place = source.place();
    let failed = |error: SourceError| {
        let fault = CliError::of_source(format!("cannot go back to `{name}@{version}` in {place}"), &error);
        if source.kind().versions {
            fault.hint(format!("`doppio secret history {name}` lists the versions"))
        } else {
            fault.hint("what `doppio secret rotate` kept is `@previous`; there is nothing older")
        }
    };
    let (current, now) = source.get(&path, None).await.map_err(failed)?;
    let kept = match version.as_str() {
        PREVIOUS if !sources::keeps_versions(source, &now) => {
            Some(sources::beside(&ladder, source, &path, name, PREVIOUS)?)
        }
        _ => None,
    };
    let (older, then) = match &kept {
        Some(kept) => source.get(kept, None).await,
        None => source.get(&path, Some(version)).await,
    }
    .map_err(failed)?;
    if let Some(kept) = &kept
        && !sources::may_have_note(source, &then, &sources::note_of_previous(name))
    {
        return Err(CliError::usage(format!(
            "`{kept}` is a separate secret, not an older value of `{name}`"
        )));
    }
    if older.is_same(&current) {
        output::line(&format!("`{name}` already has the value of version {version}: nothing was changed"));
        return Ok(());
    }
    // An expiry is the current value's, and says nothing of the older one.
    let remark = Remark { note: now.note.clone(), expires: None };
    let what = lookup::a_use(AuditAction::Rollback, name.as_str(), Some(place.clone()), Some(&older));
    let set = async {
        let metadata = source.set(&path, &older, &remark).await.map_err(failed)?;
        let Some(kept) = &kept else { return Ok(metadata) };
        // Where there are no versions, the two change places.
        let remark = Remark { note: Some(sources::note_of_previous(name)), expires: now.expires };
        if let Err(error) = source.set(kept, &current, &remark).await {
            // Else the value that was in force would be nowhere.
            let before = Remark { note: now.note.clone(), expires: now.expires };
            source.set(&path, &current, &before).await.map_err(failed)?;
            return Err(failed(error));
        }
        Ok(metadata)
    };
    let metadata = lookup::logged(context, vec![what], set).await?;
    if now.expires.is_some() {
        output::line("note: when the older value expires is not known; the expiry was removed");
    }
    if kept.is_some() {
        output::line(&format!("`{name}` has its previous value, and the other one is now the previous one"));
        output::line(&format!("undo it with `doppio secret rollback {name}@previous`"));
        return Ok(());
    }
    let named = |version: Option<String>| version.unwrap_or_else(|| "?".to_owned());
    output::line(&format!(
        "`{name}` is version {} now, with the value of version {}",
        named(metadata.version),
        named(then.version)
    ));
    let version = format!("{name}@{}", named(now.version));
    output::line(&format!("undo it with {}", typed(["doppio", "secret", "rollback", &version])));
    Ok(())
}
