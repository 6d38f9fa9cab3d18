//! `doppio secret status`.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Needs;
use crate::cli::secret::time;
use crate::secret::Location;
use crate::secret::Mask;
use crate::secret::SecretError;
use crate::secret::SecretRef;
use crate::secret::Vault;

/// Arguments of `secret status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 3 when one is missing or can't be asked for.\n\n\
                        Example: doppio secret status train.toml")]
pub(super) struct Args {
    /// The recipes; those of this folder if none is named
    recipes: Vec<PathBuf>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let recipes =
        if args.recipes.is_empty() { needs::recipes_in(&context.cwd)? } else { args.recipes.clone() };
    if recipes.is_empty() {
        return Err(CliError::usage("there is no recipe in this folder")
            .hint("name one: `doppio secret status path/to/recipe.toml`"));
    }
    let mut answers = Vec::new();
    // Recipes of one folder share its settings; each folder is asked on a ladder of its own.
    let mut folders: Vec<PathBuf> = recipes.iter().map(|recipe| folder(context, recipe)).collect();
    folders.dedup();
    for project in folders {
        let mut needs = Needs::new();
        for recipe in recipes.iter().filter(|recipe| folder(context, recipe) == project) {
            needs::collect(recipe, &mut needs)?;
        }
        let vault = Vault::new(lookup::ladder(context, &project, &args.lookup)?, Mask::default());
        for (reference, answer) in vault.survey(needs.keys()).await {
            let users = needs.get(&reference).cloned().unwrap_or_default();
            answers.push((reference, users, answer));
        }
    }
    if args.json {
        json(&answers)?;
    } else {
        plain(&answers)?;
    }
    if answers.iter().any(|(.., answer)| answer.is_err()) {
        return Err(CliError::silent(Kind::World));
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder whose settings count for a recipe.
fn folder(context: &Context, recipe: &Path) -> PathBuf {
    context.cwd.join(recipe).parent().map_or_else(|| context.cwd.clone(), Path::to_owned)
}

type Answers = [(SecretRef, Vec<PathBuf>, Result<Location, SecretError>)];

fn plain(answers: &Answers) -> Result<(), CliError> {
    let now = Timestamp::now();
    let width = answers.iter().map(|(reference, ..)| reference.label().chars().count()).max().unwrap_or(0);
    for (reference, _, answer) in answers {
        let label = reference.label();
        let line = match answer {
            Ok(location) => format!("ok       {label:width$}  {}", time::describe(&location.facts, now)),
            Err(SecretError::Missing { .. }) => format!("missing  {label:width$}  {}", hint(answer)),
            Err(error) => format!("failed   {label:width$}  {error}; {}", hint(answer)),
        };
        output::data(&format!("{}\n", line.trim_end().trim_end_matches(';')))?;
        for warning in answer.iter().flat_map(|location| &location.facts.warnings) {
            output::line(&format!("warning: {warning}"));
        }
    }
    if answers.is_empty() {
        output::line("no recipe here names a secret");
    }
    Ok(())
}

fn hint(answer: &Result<Location, SecretError>) -> &str {
    match answer {
        Err(
            SecretError::Missing { hint, .. }
            | SecretError::NotAllowed { hint, .. }
            | SecretError::Unreachable { hint, .. },
        ) => hint,
        _ => "",
    }
}

fn json(answers: &Answers) -> Result<(), CliError> {
    let answers: Vec<serde_json::Value> = answers
        .iter()
        .map(|(reference, users, answer)| {
            let facts = answer.as_ref().ok().map(|location| &location.facts);
            serde_json::json!({
                "secret": reference.label(),
                "recipes": users,
                "state": match answer {
                    Ok(_) => "ok",
                    Err(SecretError::Missing { .. }) => "missing",
                    Err(_) => "failed",
                },
                "place": facts.map(|facts| &facts.place),
                "created": facts.and_then(|facts| facts.created),
                "expires": facts.and_then(|facts| facts.expires),
                "error": answer.as_ref().err().map(ToString::to_string),
                "hint": Some(hint(answer)).filter(|hint| !hint.is_empty()),
            })
        })
        .collect();
    output::data(&format!("{}\n", serde_json::Value::from(answers)))
}
