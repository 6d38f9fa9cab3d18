//! `doppio secret status`.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use doppio_secrets::Mask;
use doppio_secrets::Providers;
use doppio_secrets::SecretError;
use doppio_secrets::SecretSession;
use doppio_secrets::Wanted;
use doppio_secrets::source::Metadata;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Credentials;
use crate::cli::secret::needs::Needs;
use crate::cli::secret::time;

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
    let mut rows = Vec::new();
    // Recipes of one folder share its settings; each folder is asked on a ladder of its own.
    let folders: BTreeSet<PathBuf> = recipes.iter().map(|recipe| folder(context, recipe)).collect();
    for project in folders {
        let of_folder: Vec<&PathBuf> =
            recipes.iter().filter(|recipe| folder(context, recipe) == project).collect();
        let providers = Providers::new(context.env.clone(), context.home.clone(), BTreeSet::new());
        let ladder = lookup::ladder(context, &project, &args.lookup)?;
        let vault = SecretSession::new(ladder, Mask::default()).with_providers(providers);
        rows.extend(secrets(&of_folder, &vault).await?);
        rows.extend(credentials(&of_folder, &vault).await?);
    }
    if args.json {
        json(&rows)?;
    } else {
        plain(&rows)?;
    }
    if rows.iter().any(|row| row.answer.is_err()) {
        return Err(CliError::silent(Kind::World));
    }
    Ok(ExitCode::SUCCESS)
}

/// What one secret, or one provider's credential, came to.
struct Row {
    label: String,
    /// The provider, for a credential.
    provider: Option<String>,
    users: Vec<PathBuf>,
    answer: Result<Metadata, SecretError>,
}

/// The secrets that recipes refer to.
async fn secrets(recipes: &[&PathBuf], vault: &SecretSession) -> Result<Vec<Row>, CliError> {
    let mut needs = Needs::new();
    for recipe in recipes {
        needs::collect(recipe, &mut needs)?;
    }
    let answers = vault.survey(needs.keys()).await.into_iter();
    Ok(answers
        .map(|(reference, answer)| Row {
            label: reference.label(),
            provider: None,
            users: needs.get(&reference).cloned().unwrap_or_default(),
            answer: answer.map(|location| location.facts),
        })
        .collect())
}

/// The credentials that recipes name.
async fn credentials(recipes: &[&PathBuf], vault: &SecretSession) -> Result<Vec<Row>, CliError> {
    let mut needs = Credentials::new();
    for recipe in recipes {
        needs::collect_credentials(recipe, &mut needs)?;
    }
    let mut rows = Vec::with_capacity(needs.len());
    for (text, users) in needs {
        // An unknown name is for `doppio check` to report.
        let Ok(wanted) = text.parse::<Wanted>() else { continue };
        let answer = vault.locate_credential(&wanted).await.map(|facts| Metadata {
            place: facts.place,
            expires: facts.expires,
            exposure: Some(facts.exposure.to_string()),
            warnings: facts.warnings,
            ..Metadata::default()
        });
        let label = format!("credentials of {wanted}");
        rows.push(Row { label, provider: Some(wanted.to_string()), users, answer });
    }
    Ok(rows)
}

/// The folder whose settings count for a recipe.
fn folder(context: &Context, recipe: &Path) -> PathBuf {
    context.cwd.join(recipe).parent().map_or_else(|| context.cwd.clone(), Path::to_owned)
}

fn plain(rows: &[Row]) -> Result<(), CliError> {
    let now = Timestamp::now();
    let width = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
    for Row { label, answer, .. } in rows {
        let line = match answer {
            Ok(facts) => format!("ok       {label:width$}  {}", time::describe(facts, now)),
            Err(SecretError::Missing { .. }) => format!("missing  {label:width$}  {}", hint(answer)),
            Err(error) => format!("failed   {label:width$}  {error}; {}", hint(answer)),
        };
        output::text(&format!("{}\n", line.trim_end().trim_end_matches(';')))?;
        for warning in answer.iter().flat_map(|facts| &facts.warnings) {
            output::line(&format!("warning: {warning}"));
        }
    }
    if rows.is_empty() {
        output::line("no recipe here names a secret");
    }
    Ok(())
}

fn hint(answer: &Result<Metadata, SecretError>) -> &str {
    match answer {
        Err(
            SecretError::Missing { hint, .. }
            | SecretError::NotAllowed { hint, .. }
            | SecretError::Unreachable { hint, .. },
        ) => hint,
        _ => "",
    }
}

fn json(rows: &[Row]) -> Result<(), CliError> {
    let rows: Vec<serde_json::Value> = rows
        .iter()
        .map(|Row { label, provider, users, answer }| {
            let facts = answer.as_ref().ok();
            serde_json::json!({
                "secret": Some(label).filter(|_| provider.is_none()),
                "credentials": provider,
                "recipes": users,
                "state": match answer {
                    Ok(_) => "ok",
                    Err(SecretError::Missing { .. }) => "missing",
                    Err(_) => "failed",
                },
                "place": facts.map(|facts| &facts.place),
                "exposure": facts.and_then(|facts| facts.exposure.as_ref()),
                "created": facts.and_then(|facts| facts.created),
                "expires": facts.and_then(|facts| facts.expires),
                "error": answer.as_ref().err().map(ToString::to_string),
                "hint": Some(hint(answer)).filter(|hint| !hint.is_empty()),
            })
        })
        .collect();
    output::data(&format!("{}\n", serde_json::Value::from(rows)))
}
