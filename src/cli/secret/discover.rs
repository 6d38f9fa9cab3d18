//! `doppio secret discover`.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::time;
use crate::secret::Ladder;
use crate::secret::provider::Credential;
use crate::secret::provider::Local;
use crate::secret::provider::PROVIDERS;
use crate::secret::provider::Provider;
use crate::secret::provider::ProviderError;

/// Arguments of `secret discover`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret discover --json")]
pub(super) struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// What was found of one provider.
struct Row {
    provider: &'static Provider,
    found: Result<Credential, ProviderError>,
    /// Each of its secrets that is here, and where Doppio has it already, if it has.
    secrets: Vec<(&'static str, Option<String>)>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    let local = Local::new(&context.env, &context.home).at_rest();
    let mut rows = Vec::new();
    for provider in PROVIDERS {
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
    if args.json {
        let rows: Vec<serde_json::Value> = rows.iter().map(json).collect();
        output::data(&format!("{}\n", serde_json::Value::from(rows)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = rows.iter().map(|row| row.provider.name.len()).max().unwrap_or(0);
    for row in &rows {
        for line in lines(row, width) {
            output::data(&format!("{}\n", line.trim_end()))?;
        }
    }
    output::line(if rows.is_empty() {
        "no provider keeps a credential on this machine"
    } else {
        "a step gets one by `credentials = [\"NAME\"]`"
    });
    Ok(ExitCode::SUCCESS)
}

/// Where Doppio itself has a secret of this name. A source that can't be asked has none.
async fn stored(ladder: &Ladder, name: &str) -> Option<String> {
    for source in ladder.writable() {
        if source.locate(name, None).await.is_ok() {
            return Some(source.kind().scheme.to_owned());
        }
    }
    None
}

fn json(row: &Row) -> serde_json::Value {
    let secrets: Vec<serde_json::Value> = row
        .secrets
        .iter()
        .map(|(name, stored)| serde_json::json!({ "name": name, "stored_in": stored }))
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

fn lines(row: &Row, width: usize) -> Vec<String> {
    let name = row.provider.name;
    let found = match &row.found {
        Ok(found) => found,
        Err(error) => {
            return vec![
                format!("{name:width$}  {:12}  {}", "?", error.cause),
                format!("{:width$}  {:12}  hint: {}", "", "", error.hint),
            ];
        }
    };
    let mut words = vec![found.place()];
    words.extend(found.expires.map(|at| time::expiry(at, Timestamp::now())));
    let mut lines = vec![format!("{name:width$}  {:12}  {}", found.exposure, words.join(", "))];
    let mut more = |text: String| lines.push(format!("{:width$}  {:12}  {text}", "", ""));
    for (secret, stored) in &row.secrets {
        more(match stored {
            Some(source) => format!("{secret}; {source} has one of this name"),
            None => (*secret).to_owned(),
        });
    }
    if let Some(why) = &found.refusal {
        more(format!("stays here: {why}"));
    }
    for warning in &found.warnings {
        more(format!("warning: {warning}"));
    }
    lines
}
