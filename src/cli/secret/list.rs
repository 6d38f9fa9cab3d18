//! `doppio secret list`.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::source_error;
use crate::cli::secret::time;
use crate::secret::source::SourceError;

/// Arguments of `secret list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret list --json")]
pub(super) struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    let (mut items, mut failed) = (Vec::new(), None);
    for source in ladder.writable() {
        match source.list().await {
            Ok(found) => {
                items.extend(found.into_iter().map(|(name, facts)| (name, source.kind().scheme, facts)));
            }
            Err(SourceError::Absent { .. }) => {}
            // What the other has is listed all the same.
            Err(error) => failed = Some(source_error(format!("cannot list {}", source.place()), &error)),
        }
    }
    items.sort_by(|a, b| a.0.cmp(&b.0));
    if args.json {
        let items: Vec<serde_json::Value> = items
            .iter()
            .map(|(name, source, facts)| {
                serde_json::json!({
                    "name": name,
                    "source": source,
                    "version": facts.version,
                    "created": facts.created,
                    "expires": facts.expires,
                    "note": facts.note,
                    "exposure": facts.exposure,
                })
            })
            .collect();
        output::data(&format!("{}\n", serde_json::Value::from(items)))?;
    } else {
        let now = Timestamp::now();
        let width = items.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        for (name, source, facts) in &items {
            let mut words = vec![format!("{source:7}")];
            words.extend(facts.created.map(|created| format!("set {}", time::age(created, now))));
            words.extend(facts.expires.map(|expires| time::expiry(expires, now)));
            words.extend(facts.note.clone());
            output::data(&format!("{name:width$}  {}\n", words.join("  ").trim_end()))?;
        }
        if items.is_empty() && failed.is_none() {
            output::line("nothing is stored; `doppio secret suggest` shows what others store");
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}
