//! `doppio secret copy`.

use doppio_secrets::Fitness;
use doppio_secrets::Ladder;
use doppio_secrets::SecretValue;
use doppio_secrets::source;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Stays;
use crate::cli::secret::transfer::Wish;

#[derive(Debug, clap::Args)]
#[command(after_help = "Each value is read back after it was written. What already exists with the same \
                        value is skipped, so an interrupted copy continues when you repeat the command. \
                        Only the current value is copied, not the older versions.\n\n\
                        Examples:\n  \
                        doppio secret copy --from keyring --to file --dry-run\n  \
                        doppio secret copy --from file --to aws team/key wandb/api_key")]
pub(in crate::cli) struct Args {
    /// The source to read
    #[arg(long, value_name = "SOURCE")]
    from: String,
    /// The source to write
    #[arg(long, value_name = "SOURCE")]
    to: String,
    /// What to copy; everything if nothing is named
    names: Vec<String>,
    #[command(flatten)]
    wish: Wish,
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let ladder = args.profile.ladder(context)?;
    let (from, to) = (sources::named(&ladder, &args.from)?, sources::writable(&ladder, &args.to)?);
    if args.from == args.to {
        return Err(CliError::usage(format!("both sources are `{}`", args.to)));
    }
    let items = items(&ladder, from, &args.names).await?;
    let plan = transfer::plan(&ladder, to, items, args.wish.replaces).await?;
    if plan.carry_out(args.wish, context).await? {
        plan.complain()?;
        plan.complain_of_refused()?;
    }
    Ok(())
}

/// What a source has: everything, or what is named.
pub(super) async fn items(
    ladder: &Ladder,
    from: &dyn Source,
    names: &[String],
) -> Result<Vec<Item>, CliError> {
    let paths: Vec<String> = if names.is_empty() {
        let listed = from
            .list()
            .await
            .map_err(|error| CliError::of_source(format!("cannot list {}", from.place()), &error))?;
        if let Some(error) = from.unlisted() {
            return Err(CliError::of_source(format!("cannot list all of {}", from.place()), &error)
                .hint("name the ones you mean"));
        }
        listed.into_iter().map(|(path, _)| path).collect()
    } else {
        names.iter().map(|text| path(ladder, from, text)).collect()
    };
    let wanted: Vec<source::Item> = paths.iter().map(|path| source::Item::new(path, None)).collect();
    let answers = from.get_many(&wanted).await;
    let mut items = Vec::with_capacity(paths.len());
    for (at, (mut path, mut answer)) in paths.into_iter().zip(answers).enumerate() {
        // What is named may be a path of the source's own.
        if let (Err(SourceError::Missing), Some(text)) =
            (&answer, names.get(at).filter(|text| **text != path))
        {
            answer = from.get(text, None).await;
            path.clone_from(text);
        }
        let label = label(from.kind().scheme, &path);
        items.push(match answer {
            Ok((value, metadata)) => item(ladder.name_of(&path, from), label, path, value, metadata),
            // One that can't be read does not stop the others.
            Err(error) if names.is_empty() => {
                let value = Err(Stays::refused(error.to_string()));
                Item { key: path.clone(), name: None, from: label, path, value, remark: Remark::default() }
            }
            Err(error) => {
                let what = format!("cannot read `{path}` from {}", from.place());
                return Err(CliError::of_source(what, &error));
            }
        });
    }
    Ok(items)
}

/// Where a source keeps what the command line names: a name by the settings, or a path of its own.
fn path(ladder: &Ladder, from: &dyn Source, text: &str) -> String {
    let name = text.parse::<SecretName>().ok();
    name.and_then(|name| ladder.path_of(&name, from).ok()).unwrap_or_else(|| text.to_owned())
}

fn item(
    name: Option<SecretName>,
    label: String,
    path: String,
    value: SecretValue,
    metadata: Metadata,
) -> Item {
    let remark = Remark { note: metadata.note, expires: metadata.expires };
    // Sources on the network have paths that are not names; the target judges them.
    match name {
        Some(name) => Item { path, ..transfer::item(&name, label, value, remark) },
        None if value.fitness() == Fitness::Fit => {
            Item { key: path.clone(), name: None, from: label, path, value: Ok(value), remark }
        }
        None => {
            let value = Err(Stays::refused("the value can't be a secret"));
            Item { key: path.clone(), name: None, from: label, path, value, remark }
        }
    }
}

/// What a table calls an item of a source.
pub(super) fn label(scheme: &str, path: &str) -> String {
    format!("{scheme}:{path}")
}
