//! `doppio secret list`.

use jiff::Timestamp;

use doppio_secrets::Ladder;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::vendor;
use doppio_text::exact;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::sources;
use crate::cli::secret::time;
use crate::cli::secret::uses;
use crate::cli::secret::uses::Use;
use crate::sources::SOURCES;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Last use is what the audit log and the journals of this machine know.\n\n\
                        Examples:\n  doppio secret list\n  doppio secret list --in file --json\n  \
                        doppio secret list --all")]
pub(in crate::cli) struct Args {
    /// The sources to ask; else the keychain and the age vault
    #[arg(long = "in", value_name = "SOURCE", conflicts_with = "all")]
    sources: Vec<String>,
    /// Ask every source that can list, those on the network too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// One stored secret.
struct Item {
    name: String,
    source: &'static str,
    metadata: Metadata,
    last: Option<Use>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let ladder = lookup::usual_ladder(context)?;
    let uses = uses::all(context).known;
    let (mut items, mut failed) = (Vec::new(), None);
    for source in sources(&ladder, args)? {
        let (fault, part) = match source.list().await {
            Ok(found) => {
                items.extend(found.into_iter().map(|(name, mut metadata)| {
                    metadata.exposure = metadata.exposure.or_else(|| exposure(&name));
                    let last = uses.iter().find(|used| uses::is_of(&used.secret, &name)).cloned();
                    Item { name, source: source.kind().scheme, metadata, last }
                }));
                (source.unlisted().map_or(Ok(()), Err), "all of ")
            }
            Err(error) => (Err(error), ""),
        };
        match fault {
            Ok(()) => {}
            Err(SourceError::Absent { .. }) if args.sources.is_empty() => {}
            // Not every source can list, and nobody asked this one to.
            Err(SourceError::Unfit { .. }) if args.all => {}
            // Few users have set up all of them.
            Err(error) if args.all => output::line(&format!("note: {} is left out: {error}", source.place())),
            // What the others have is listed all the same.
            Err(error) => {
                let error = CliError::of_source(format!("cannot list {part}{}", source.place()), &error);
                if let Some(earlier) = failed.replace(error) {
                    output::fail(&earlier);
                }
            }
        }
    }
    items.sort_by(|a: &Item, b| a.name.cmp(&b.name));
    if args.output.is_json() {
        output::json_array(items.iter().map(|item| json(item, &items)))?;
    } else {
        output::table(&table(&items, Timestamp::now()))?;
        if items.is_empty() && failed.is_none() {
            output::line("nothing is stored; `doppio secret suggest` shows what others store");
        }
    }
    failed.map_or(Ok(()), Err)
}

/// How far a secret of this name may go, where its provider is known.
fn exposure(name: &str) -> Option<String> {
    let (provider, _) = vendor::of_secret(&name.parse().ok()?)?;
    Some(provider.exposure.to_string())
}

fn sources<'a>(ladder: &'a Ladder, args: &Args) -> Result<Vec<&'a dyn Source>, CliError> {
    if args.all {
        return Ok(SOURCES.all().filter_map(|kind| ladder.source(kind.scheme).ok()).collect());
    }
    if args.sources.is_empty() {
        return sources::several(ladder, None);
    }
    args.sources.iter().map(|scheme| sources::named(ladder, scheme)).collect()
}

/// Whether it is what `rotate` keeps beside a secret where the source has no versions: which of
/// the two, and of which secret.
fn kept<'a>(name: &'a str, source: &str, items: &[Item]) -> Option<(&'static str, &'a str)> {
    let (of, role) = ["previous", "pending"]
        .into_iter()
        .find_map(|role| Some((name.strip_suffix(role)?.strip_suffix('.')?, role)))?;
    items.iter().any(|item| item.name == of && item.source == source).then_some((role, of))
}

fn json(item: &Item, items: &[Item]) -> serde_json::Value {
    let Item { name, source, metadata, last } = item;
    serde_json::json!({
        "name": name,
        "source": source,
        "role": kept(name, source, items).map(|(role, _)| role),
        "version": metadata.version,
        "created": metadata.created,
        "expires": metadata.expires,
        "note": metadata.note,
        "exposure": metadata.exposure,
        "last_use": last.as_ref().map(|last| serde_json::json!({
            "time": last.time,
            "deed": last.action,
            "run": last.run,
            "step": last.step,
            "host": last.host,
        })),
    })
}

fn table(items: &[Item], now: Timestamp) -> Table<2> {
    let mut table = Table::new([Column::Name, Column::Whole]);
    for Item { name, source, metadata, last } in items {
        let mut words = Vec::new();
        let kept = kept(name, source, items);
        words.extend(kept.map(|(role, of)| format!("{role} value of {of}")));
        words.extend(metadata.created.map(|created| format!("set {}", time::age(created, now))));
        words.extend(metadata.expires.map(|expires| time::expiry(expires, now)));
        words.extend(
            last.as_ref().and_then(|last| last.time).map(|used| format!("used {}", time::age(used, now))),
        );
        words.extend(metadata.exposure.clone());
        words.extend(metadata.note.clone().filter(|_| kept.is_none()));
        // Others may have written names and notes.
        table.row([&exact(name.as_bytes()), source], &exact(words.join("  ").as_bytes()));
    }
    table
}
