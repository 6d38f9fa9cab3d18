//! `doppio runs prune`.

use jiff::Timestamp;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::runs::record::standing;
use crate::cli::secret::time;
use crate::journal::Store;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  doppio runs prune --keep 50\n  doppio runs prune --older-than 90d --dry-run\n\n\
                        With both, a run goes only if it is beyond the newest and too old. A run whose \
                        journal does not say when it began goes by `--keep` alone, or by `doppio runs rm`."
)]
pub(in crate::cli) struct Args {
    /// Keep the newest runs, as many as this
    #[arg(long, value_name = "N", required_unless_present = "older_than")]
    keep: Option<usize>,
    /// Keep runs that began less than this ago, as in `12h`, `30d`, `8w`
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<(), CliError> {
    let before = args.older_than.as_deref().map(limit).transpose()?;
    let (mut count, mut bytes) = (0_usize, 0);
    for run in store.list()?.into_iter().skip(args.keep.unwrap_or(0)) {
        let record = store.read(&run).ok();
        let is_live = record.as_ref().is_some_and(|record| record.is_live);
        let started = record.as_ref().and_then(|record| record.state.started);
        // One whose beginning is not known is not known to be old.
        if is_live || before.is_some_and(|before| started.is_none_or(|started| started >= before)) {
            continue;
        }
        let size = store.size(&run);
        let how = record.as_ref().map_or("unreadable", standing);
        let verb = if args.dry_run { "would remove" } else { "removed" };
        if !args.dry_run {
            store.remove(&run)?;
        }
        output::line(&format!("{verb} run `{run}` ({how}, {} KiB)", size.div_ceil(1024)));
        count += 1;
        bytes += size;
    }
    let verb = if args.dry_run { "would remove" } else { "removed" };
    let runs = if count == 1 { "run" } else { "runs" };
    output::line(&format!("{verb} {count} {runs}, {} KiB", bytes.div_ceil(1024)));
    Ok(())
}

/// The time that an age leads back to.
fn limit(age: &str) -> Result<Timestamp, CliError> {
    let now = Timestamp::now();
    time::ago(age, now).ok_or_else(|| {
        CliError::usage(format!("`{age}` is not an age: expected a number and a unit"))
            .hint("write it as in `--older-than 30d`; units are `h`, `d`, `w` and `y`")
    })
}
