//! What providers' own tools keep on this machine as items of a transfer.

use doppio_secrets::Ladder;
use doppio_secrets::Wanted;
use doppio_secrets::source::Remark;
use doppio_secrets::vendor;
use doppio_secrets::vendor::ProviderError;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::import::Args;
use crate::cli::secret::import::Names;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Stays;

/// Imports everything that the providers of the command line have.
pub(super) async fn import(
    names: &Names,
    args: &Args,
    ladder: &Ladder,
    context: &Context,
) -> Result<(), CliError> {
    let mut items = Vec::new();
    for text in &args.provider {
        let wanted: Wanted = text.parse().map_err(|unknown: vendor::UnknownProvider| {
            CliError::usage(unknown.to_string()).hint(unknown.hint())
        })?;
        let found = of(&wanted, names, context)?;
        if let (Some(_), true) = (&wanted.which, found.iter().any(|item| item.value.is_ok())) {
            let name = wanted.provider.name;
            output::line(&format!(
                "note: stored under these names, it is what `credentials = [\"{name}\"]` gives; other names: `--map NAME=OTHER`"
            ));
        }
        items.extend(found);
    }
    if let Some(key) = names.unused(|key| known(args).any(|known| known == key)) {
        return Err(CliError::usage(format!("`--map {key}=…`: no secret of these providers is called that")));
    }
    let target = sources::target(ladder, args.target.as_deref()).await?;
    let plan = transfer::plan(ladder, target, items, args.wish.replaces).await?;
    if plan.carry_out(args.wish, context).await? {
        plan.complain()?;
        plan.complain_of_refused()?;
        for item in plan.arrivals() {
            output::line(&format!("note: {} still has `{}`", item.from, item.path));
        }
    }
    Ok(())
}

/// The names of all secrets of the providers.
fn known(args: &Args) -> impl Iterator<Item = &'static str> {
    let providers = args.provider.iter().filter_map(|text| text.parse::<Wanted>().ok());
    providers.flat_map(|wanted| wanted.provider.keys()).map(|key| key.name)
}

/// What one provider has.
fn of(wanted: &Wanted, names: &Names, context: &Context) -> Result<Vec<Item>, CliError> {
    let failed = |error: ProviderError| {
        CliError::world(format!("cannot import from `{wanted}`")).cause(error.cause).hint(error.hint)
    };
    let found = vendor::read(wanted, &context.env, &context.home).map_err(failed)?;
    let Some(found) = found else {
        return Err(CliError::world(format!("`{wanted}` keeps no credential on this machine"))
            .hint("`doppio secret discover` lists what exists")
            .hint(wanted.provider.alternative));
    };
    let items = found.parts.into_iter().filter_map(|part| {
        let remark = Remark { note: None, expires: found.expires };
        let usual = part.key.name;
        let renamed = names.renamed(usual);
        let name = renamed.cloned().or_else(|| usual.parse().ok())?;
        let item = transfer::item(&name, part.place, part.value?, remark);
        Some(match &found.only_for {
            Some(server) if renamed.is_none() => Item {
                value: Err(Stays::Refused(format!(
                    "it is for `{server}`, and under this name another server would get it: name it as \
                     `credentials = [\"{wanted}\"]`, or store it with `--map {usual}=OTHER`"
                ))),
                ..item
            },
            _ => item,
        })
    });
    Ok(items.collect())
}
