//! `doppio secret history`.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::name;
use crate::cli::secret::place;
use crate::cli::secret::source_error;
use crate::cli::secret::time;

/// Arguments of `secret history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret history huggingface/token")]
pub(super) struct Args {
    /// Its name
    name: String,
    /// The source to ask; else the keychain or the vault, whichever has it
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let name = name(&args.name)?;
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    let source = place::holder(&ladder, name.as_str(), args.source.as_deref()).await?;
    let versions = source.versions(name.as_str()).await.map_err(|error| {
        source_error(format!("`{name}` has no history"), &error)
            .hint("the vault keeps ten older versions: `doppio secret copy --from keyring --to file`")
    })?;
    if args.json {
        let versions: Vec<serde_json::Value> = versions
            .iter()
            .enumerate()
            .map(|(place, facts)| {
                serde_json::json!({
                    "version": facts.version,
                    "created": facts.created,
                    "expires": facts.expires,
                    "note": facts.note,
                    "current": place == 0,
                })
            })
            .collect();
        output::data(&format!("{}\n", serde_json::Value::from(versions)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Timestamp::now();
    for (place, facts) in versions.iter().enumerate() {
        let mut words: Vec<String> =
            facts.created.map(|created| format!("set {}", time::age(created, now))).into_iter().collect();
        words.extend((place == 0).then(|| "in use".to_owned()));
        words.extend(facts.expires.map(|expires| time::expiry(expires, now)));
        words.extend(facts.note.clone());
        let version = facts.version.map_or_else(String::new, |version| version.to_string());
        output::data(&format!("{name}@{version}  {}\n", words.join("  ")))?;
    }
    Ok(ExitCode::SUCCESS)
}
