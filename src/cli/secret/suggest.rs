//! `doppio secret suggest`.

use std::process::ExitCode;

use doppio_secrets::Location;
use doppio_secrets::Mask;
use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::vendor::well_known;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;

/// Arguments of `secret suggest`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret suggest")]
pub(super) struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    let vault = SecretSession::new(ladder, Mask::default());
    let mut items = Vec::new();
    let mut failed = None;
    for known in well_known() {
        let Ok(name) = known.name.parse::<SecretName>() else { continue };
        let state = match vault.locate(&SecretRef::from(name)).await {
            Ok(Location { facts, .. }) => State::Set(facts.place),
            Err(SecretError::Missing { .. }) => State::Missing,
            Err(error) => {
                failed.get_or_insert_with(|| CliError::from(error));
                State::Unknown
            }
        };
        items.push((known, state));
    }
    if args.json {
        let items: Vec<serde_json::Value> = items
            .iter()
            .map(|(known, state)| {
                serde_json::json!({
                    "name": known.name,
                    "summary": known.summary,
                    "get": known.get,
                    "variables": known.read,
                    "place": match state {
                        State::Set(place) => Some(place),
                        _ => None,
                    },
                    "state": match state {
                        State::Set(_) => "set",
                        State::Missing => "missing",
                        State::Unknown => "unknown",
                    },
                })
            })
            .collect();
        output::data(&format!("{}\n", serde_json::Value::from(items)))?;
    } else {
        let width = items.iter().map(|(known, _)| known.name.len()).max().unwrap_or(0);
        for (known, state) in &items {
            let (mark, words) = match state {
                State::Set(place) => ("set", format!("{}; {place}", known.summary)),
                State::Missing => ("-", format!("{}; {}", known.summary, known.get)),
                State::Unknown => ("?", format!("{}; {}", known.summary, known.get)),
            };
            output::text(&format!("{mark:3}  {:width$}  {words}\n", known.name))?;
        }
        output::line("store one with `doppio secret set NAME`; your own names work too");
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

enum State {
    Set(String),
    Missing,
    /// A source could not be asked.
    Unknown,
}
