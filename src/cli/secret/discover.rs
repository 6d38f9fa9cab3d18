//! `doppio secret discover`.

use jiff::Timestamp;

use doppio_secrets::Ladder;
use doppio_secrets::source::SourceError;
use doppio_secrets::vendor::Credential;
use doppio_secrets::vendor::Local;
use doppio_secrets::vendor::ProviderError;
use doppio_secrets::vendor::Vendor;
use doppio_secrets::vendor::providers;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::time;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret discover --json")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

/// What was found of one provider.
struct Row {
    provider: &'static Vendor,
    found: Result<Credential, ProviderError>,
    /// Each of its secrets that is here, and whether Doppio has it already.
    secrets: Vec<(&'static str, Stored)>,
}

/// Where Doppio itself has a secret of a name.
enum Stored {
    In(&'static str),
    Nowhere,
    /// This source could not be asked, and those that could do not have it.
    Unknown(&'static str),
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let ladder = lookup::usual_ladder(context)?;
    let local = Local::new(&context.env, &context.home).at_rest();
    let mut rows = Vec::new();
    for provider in providers() {
        let found = match provider.look(&local) {
            Ok(None) => continue,
            Ok(Some(credential)) => Ok(credential),
            Err(error) => Err(error),
        };
        let mut secrets = Vec::new();
        for part in found.iter().flat_map(|credential| &credential.parts) {
            secrets.push((part.key.name, stored(&ladder, part.key.name).await));
        }
        rows.push(Row { provider, found, secrets });
    }
    if args.output.is_json() {
        return output::json_array(rows.iter().map(json));
    }
    let mut table = Table::new([Column::Whole, Column::Whole]);
    for row in &rows {
        add(&mut table, row);
    }
    output::table(&table)?;
    output::line(if rows.is_empty() {
        "no provider keeps a credential on this machine"
    } else {
        "a step gets one with `credentials = [\"NAME\"]`"
    });
    Ok(())
}

async fn stored(ladder: &Ladder, name: &str) -> Stored {
    let mut stored = Stored::Nowhere;
    for source in ladder.writable() {
        let scheme = source.kind().scheme;
        match source.locate(name, None).await {
            Ok(_) => return Stored::In(scheme),
            Err(SourceError::Missing | SourceError::Absent { .. }) => {}
            Err(_) => stored = Stored::Unknown(scheme),
        }
    }
    stored
}

fn json(row: &Row) -> serde_json::Value {
    let secrets: Vec<serde_json::Value> = row
        .secrets
        .iter()
        .map(|(name, stored)| {
            let (place, unasked) = match stored {
                Stored::In(scheme) => (Some(scheme), None),
                Stored::Nowhere => (None, None),
                Stored::Unknown(scheme) => (None, Some(scheme)),
            };
            serde_json::json!({ "name": name, "stored_in": place, "not_asked": unasked })
        })
        .collect();
    let found = row.found.as_ref();
    serde_json::json!({
        "provider": row.provider.name,
        "summary": row.provider.summary,
        "place": found.ok().map(Credential::place),
        "exposure": found.map_or(row.provider.exposure, |found| found.exposure).as_str(),
        "expires": found.ok().and_then(|found| found.expires),
        "secrets": secrets,
        "stays_here": found.ok().and_then(|found| found.refusal.as_ref()),
        "warnings": found.map_or(&[][..], |found| &found.warnings),
        "trouble": found.err().map(|error| &error.cause),
        "hint": found.err().map(|error| &error.hint),
    })
}

fn add(table: &mut Table<2>, row: &Row) {
    let found = match &row.found {
        Ok(found) => found,
        Err(error) => {
            table.row([row.provider.name, "?"], &error.cause);
            return table.below(&format!("hint: {}", error.hint));
        }
    };
    let mut words = vec![found.place()];
    words.extend(found.expires.map(|at| time::expiry(at, Timestamp::now())));
    table.row([row.provider.name, found.exposure.as_str()], &words.join(", "));
    for (secret, stored) in &row.secrets {
        table.below(&match stored {
            Stored::In(scheme) => format!("{secret}; {scheme} has one of this name"),
            Stored::Nowhere => (*secret).to_owned(),
            Stored::Unknown(scheme) => format!("{secret}; {scheme} could not be asked for one"),
        });
    }
    if let Some(why) = &found.refusal {
        table.below(&format!("stays here: {why}"));
    }
    for warning in &found.warnings {
        table.below(&format!("warning: {warning}"));
    }
}
