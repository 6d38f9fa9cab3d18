//! `doppio secret status`.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;

use doppio_secrets::Providers;
use doppio_secrets::SecretError;
use doppio_secrets::SecretSession;
use doppio_secrets::Wanted;
use doppio_secrets::source::Metadata;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Credentials;
use crate::cli::secret::needs::Needs;
use crate::cli::secret::time;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 3 when one is missing or can't be asked for.\n\n\
                        Example: doppio secret status train.toml")]
pub(in crate::cli) struct Args {
    /// The recipes; those of this folder if none is named
    recipes: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
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
        let vault = lookup::session(context, &project, &args.lookup)?.with_providers(providers);
        rows.extend(secrets(&of_folder, &vault).await?);
        rows.extend(credentials(&of_folder, &vault).await?);
    }
    if args.output.is_json() {
        output::json_array(rows.iter().map(json))?;
    } else {
        plain(&rows)?;
    }
    if rows.iter().any(|row| row.answer.is_err()) {
        return Err(CliError::silent(Kind::World));
    }
    Ok(())
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
            answer: answer.map(|location| location.metadata),
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
        let answer = vault.locate_credential(&wanted).await.map(|metadata| Metadata {
            place: metadata.place,
            expires: metadata.expires,
            exposure: Some(metadata.exposure.to_string()),
            warnings: metadata.warnings,
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
    let mut table = Table::new([Column::Whole, Column::Name]);
    for Row { label, answer, .. } in rows {
        let words = match answer {
            Ok(metadata) => time::describe(metadata, now),
            Err(error @ SecretError::Missing { .. }) => error.hint().unwrap_or_default().to_owned(),
            Err(error) => error.hint().map_or(error.to_string(), |hint| format!("{error}; {hint}")),
        };
        table.row([state(answer), label], &words);
    }
    output::table(&table)?;
    output::warnings(rows.iter().flat_map(|row| &row.answer).flat_map(|metadata| &metadata.warnings));
    if rows.is_empty() {
        output::line("no recipe here names a secret");
    }
    Ok(())
}

fn state(answer: &Result<Metadata, SecretError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(SecretError::Missing { .. }) => "missing",
        Err(_) => "failed",
    }
}

fn json(Row { label, provider, users, answer }: &Row) -> serde_json::Value {
    let metadata = answer.as_ref().ok();
    serde_json::json!({
        "secret": Some(label).filter(|_| provider.is_none()),
        "credentials": provider,
        "recipes": users,
        "state": state(answer),
        "place": metadata.map(|metadata| &metadata.place),
        "exposure": metadata.and_then(|metadata| metadata.exposure.as_ref()),
        "created": metadata.and_then(|metadata| metadata.created),
        "expires": metadata.and_then(|metadata| metadata.expires),
        "error": answer.as_ref().err().map(ToString::to_string),
        "hint": answer.as_ref().err().and_then(SecretError::hint),
    })
}
