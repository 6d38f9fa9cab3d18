//! `doppio secret import`: from a file with many secrets, from another source, or what providers'
//! own tools keep on this machine.

mod arguments;
mod file;
mod leftovers;
mod provider;

use doppio_secrets::Ladder;
use doppio_secrets::SecretRef;
use doppio_secrets::format::Format;
use doppio_secrets::naming;
use doppio_secrets::source::Document;
use doppio_secrets::source::Source;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::copy;
use crate::cli::secret::import::arguments::Names;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Plan;
use crate::cli::secret::transfer::Stays;

pub(super) use arguments::Args;

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let names = Names::new(args)?;
    let ladder = args.profile.ladder(context)?;
    if !args.provider.is_empty() {
        return provider::import(&names, args, &ladder, context).await;
    }
    match (&args.from, &args.file) {
        (Some(scheme), only) => {
            let only = only.iter().map(|name| name.display().to_string()).collect::<Vec<_>>();
            from_source(sources::named(&ladder, scheme)?, &only, &names, args, &ladder, context).await
        }
        (None, Some(file)) => {
            let file::Contents { items, text, besides } =
                file::contents(file, args.format.map(Format::from), &names)?;
            let target = sources::target(&ladder, args.target.as_deref()).await?;
            if let Some(document) = &args.into {
                let view = Document::new(target, sources::path(&ladder, target, &name(document)?)?);
                let plan = transfer::plan(&ladder, &view, members_of(view.path(), items), args.wish.replaces)
                    .await?;
                if plan.carry_out(args.wish, context).await? {
                    let scheme = target.kind().scheme;
                    let path = view.path();
                    output::line(&format!(
                        "use them from now on: {}",
                        typed([
                            "doppio",
                            "secret",
                            "exec",
                            "--all-of",
                            &format!("{scheme}:{path}"),
                            "--",
                            "COMMAND"
                        ])
                    ));
                    plan.complain()?;
                    leftovers::of_file(file, &text, besides.as_deref(), &plan, args, context)?;
                    plan.complain_of_refused()?;
                }
                return Ok(());
            }
            let plan = transfer::plan(&ladder, target, items, args.wish.replaces).await?;
            if plan.carry_out(args.wish, context).await? {
                tell_of_variables(&ladder, &plan).await;
                plan.complain()?;
                tell_how_to_use(&plan);
                leftovers::of_file(file, &text, besides.as_deref(), &plan, args, context)?;
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
    let mut items = copy::items(ladder, from, only).await?;
    let paths: Vec<String> = items.iter().map(|item| item.path.clone()).collect();
    for item in &mut items {
        rename(item, names);
    }
    let plan: Plan<'_> = transfer::plan(ladder, target, items, args.wish.replaces).await?;
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

/// The items as members of a document, under the keys that they have in the file.
fn members_of(document: &str, items: Vec<Item>) -> Vec<Item> {
    let member = |item: Item| Item { path: format!("{document}#{}", item.key), name: None, ..item };
    items.into_iter().map(member).collect()
}

/// Shows the line that runs a program with what was imported, which it read from the file before.
fn tell_how_to_use(plan: &Plan<'_>) {
    const SHOWN: usize = 6;
    let words: Vec<String> = plan
        .arrivals()
        .filter_map(|item| {
            let reference = SecretRef::from(item.name.clone()?);
            naming::variable_of(&reference).map(|_| reference.to_string())
        })
        .collect();
    if words.is_empty() {
        return;
    }
    if words.len() > SHOWN {
        output::line(
            "use them from now on: list them in `[exec]` of your config.toml, then `doppio secret exec -- COMMAND`",
        );
        return;
    }
    let words = words.iter().map(String::as_str);
    let command = typed(["doppio", "secret", "exec"].into_iter().chain(words).chain(["--", "COMMAND"]));
    output::line(&format!("use them from now on: {command}"));
}

/// Says which of the secrets a lookup does not find where they are now: variables come first.
async fn tell_of_variables(ladder: &Ladder, plan: &Plan<'_>) {
    let Ok(env) = ladder.source("env") else { return };
    for item in plan.arrivals() {
        let Some(name) = &item.name else { continue };
        for variable in env.candidates(name) {
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
    let known = item.name.as_ref().map_or(item.path.as_str(), SecretName::as_str);
    match names.of(known) {
        Some(name) => {
            item.path = name.to_string();
            item.name = Some(name);
        }
        None => item.value = Err(Stays::refused("its path can't be a name: use `--map PATH=NAME`")),
    }
}
