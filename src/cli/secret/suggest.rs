//! `doppio secret suggest`.

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
use crate::cli::output::OutputArgs;
use crate::cli::secret::lookup;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret suggest")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let vault = SecretSession::new(lookup::usual_ladder(context)?, Mask::default());
    let mut items = Vec::new();
    let mut failed = None;
    for known in well_known() {
        let Ok(name) = known.name.parse::<SecretName>() else { continue };
        items.push(match vault.locate(&SecretRef::from(name)).await {
            Ok(Location { metadata, .. }) => (known, "set", Some(metadata.place)),
            Err(SecretError::Missing { .. }) => (known, "missing", None),
            // A source could not be asked.
            Err(error) => {
                failed.get_or_insert_with(|| CliError::from(error));
                (known, "unknown", None)
            }
        });
    }
    if args.output.is_json() {
        output::json_array(items.iter().map(|(known, state, place)| {
            serde_json::json!({
                "name": known.name,
                "summary": known.summary,
                "get": known.get,
                "variables": known.read,
                "place": place,
                "state": state,
            })
        }))?;
    } else {
        let mut table = Table::new([Column::Whole, Column::Whole]);
        for (known, state, place) in &items {
            let mark = match *state {
                "set" => "set",
                "missing" => "-",
                _ => "?",
            };
            let words = format!("{}; {}", known.summary, place.as_deref().unwrap_or(known.get));
            table.row([mark, known.name], &words);
        }
        output::table(&table)?;
        output::line("store one with `doppio secret set NAME`; your own names work too");
    }
    failed.map_or(Ok(()), Err)
}
