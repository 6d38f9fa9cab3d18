//! `doppio secret import`: from a file with many secrets, from another source, or what providers'
//! own tools keep on this machine.

mod arguments;
mod file;
mod leftovers;
mod provider;

use doppio_secrets::Ladder;
use doppio_secrets::format::Format;
use doppio_secrets::source::Source;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::copy;
use crate::cli::secret::import::arguments::Names;
use crate::cli::secret::lookup;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Plan;

pub(super) use arguments::Args;

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let names = Names::new(args)?;
    let ladder = lookup::usual_ladder(context)?;
    if !args.provider.is_empty() {
        return provider::import(&names, args, &ladder, context).await;
    }
    match (&args.from, &args.file) {
        (Some(scheme), only) => {
            let only = only.iter().map(|name| name.display().to_string()).collect::<Vec<_>>();
            from_source(sources::named(&ladder, scheme)?, &only, &names, args, &ladder, context).await
        }
        (None, Some(path)) => {
            let (items, text) = file::items(path, args.format.map(Format::from), &names)?;
            let target = sources::target(&ladder, args.target.as_deref()).await?;
            let plan = transfer::plan(target, items, args.wish.replaces).await?;
            if plan.carry_out(args.wish, context).await? {
                tell_of_variables(&ladder, &plan).await;
                plan.complain()?;
                leftovers::of_file(path, &text, &plan, args, context)?;
                plan.complain_of_refused()?;
            }
            Ok(())
        }
        (None, None) => Err(CliError::usage("neither a file nor a source is named")),
    }
}

async fn from_source(
    from: &dyn Source,
    only: &[String],
    names: &Names,
    args: &Args,
    ladder: &Ladder,
    context: &Context,
) -> Result<(), CliError> {
    let target = sources::target(ladder, args.target.as_deref()).await?;
    if from.kind().scheme == target.kind().scheme {
        return Err(CliError::usage(format!("both sources are `{}`", target.kind().scheme)));
    }
    let mut items = copy::items(from, only).await?;
    let paths: Vec<String> = items.iter().map(|item| item.path.clone()).collect();
    for item in &mut items {
        rename(item, names);
    }
    let plan: Plan<'_> = transfer::plan(target, items, args.wish.replaces).await?;
    if plan.carry_out(args.wish, context).await? {
        tell_of_variables(ladder, &plan).await;
        plan.complain()?;
        if args.remove_source {
            leftovers::of_source(from, &paths, &plan, args, context).await?;
        }
        plan.complain_of_refused()?;
    }
    Ok(())
}

/// Says which of the secrets a lookup does not find where they are now: variables come first.
async fn tell_of_variables(ladder: &Ladder, plan: &Plan<'_>) {
    let Ok(env) = ladder.source("env") else { return };
    for item in plan.arrivals() {
        let Ok(name) = item.path.parse::<SecretName>() else { continue };
        for variable in env.candidates(&name) {
            if env.locate(&variable, None).await.is_ok() {
                output::line(&format!(
                    "warning: variable `{variable}` takes precedence over `{name}` and will be used instead"
                ));
            }
        }
    }
}

/// Gives an item of another source its name here.
fn rename(item: &mut Item, names: &Names) {
    match names.of(&item.path) {
        Some(name) => item.path = name.to_string(),
        None => item.value = Err("its path can't be a name: use `--map PATH=NAME`".to_owned()),
    }
}
