//! `doppio plan`: what a run would do. There is no transport on this path: nothing can run.

mod page;

use std::collections::BTreeSet;
use std::path::Path;

use page::Host;
use page::Page;
use page::Secret;
use page::drawn;

use doppio_hosts as host;
use doppio_hosts::HostsFile;
use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_text::Severity;
use doppio_text::name::HostId;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::credentials;
use crate::cli::credentials::Survey;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::load::RecipeArgs;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::output::OutputFormat;
use crate::cli::secret::lookup;
use crate::plan::Plan;
use crate::plan::outline::show;
use crate::step::Site;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio plan train.toml --host gpu-box --var epochs=3")]
pub(super) struct Args {
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Plan for the sandbox, whatever hosts the recipe names
    #[arg(long)]
    sandbox: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Shows the plan of a recipe.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    dry_run(&args.recipe, args.sandbox, args.output.format, context)
}

/// The same for `run --dry-run`.
pub(super) fn dry_run(
    args: &RecipeArgs,
    sandbox: bool,
    format: OutputFormat,
    context: &Context,
) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let loaded = load::load(args, context, &hosts)?;
    let providers = credentials::providers(&args.consent, context)?;
    let vault = lookup::session(context, args.folder(), &args.lookup)?.with_providers(providers);
    let world = credentials::World { hosts: &hosts, home: &context.home, sandbox, recipe: &loaded.source };
    let (secrets, seen, hosts) = block_on(context, async {
        let needed: BTreeSet<&SecretRef> =
            loaded.plan.steps().iter().flat_map(|step| &step.secrets).collect();
        let survey = vault.survey(needed).await;
        let mut seen = credentials::look(&loaded.plan, &vault, &world).await;
        seen.faults.extend(credentials::expiring(&loaded.plan, &survey, &loaded.source));
        seen.faults.extend(credentials::outlived(&loaded.plan, &survey, &loaded.source));
        let mut secrets = secrets(survey);
        secrets.extend(seen.located.into_iter().map(|(name, answer)| {
            let name = format!("credentials of {name}");
            told(name, answer.map(|facts| format!("{}; {}", facts.place, facts.exposure)))
        }));
        (secrets, seen.faults, routes(&loaded.plan, &hosts, &context.home, sandbox).await)
    })?;
    if seen.iter().any(|fault| fault.severity == Severity::Error) {
        return Err(CliError::faults(loaded.source, seen));
    }
    if !seen.is_empty() {
        output::faults(&loaded.source, &seen);
    }
    let page = Page { plan: show(&loaded.plan), secrets, hosts };
    match format {
        OutputFormat::Plain => output::text(&drawn(&page)),
        OutputFormat::Json => output::json(&page),
    }
}

/// Where each secret would come from, without reading it where that can be known otherwise.
fn secrets(survey: Survey) -> Vec<Secret> {
    survey
        .into_iter()
        .map(|(reference, answer)| {
            let from = answer.map(|location| {
                if location.is_default {
                    "the default in the recipe".to_owned()
                } else {
                    location.metadata.place
                }
            });
            told(reference.to_string(), from)
        })
        .collect()
}

/// A line of the page: where something comes from, or why it is not available.
fn told(name: String, answer: Result<String, SecretError>) -> Secret {
    match answer {
        Ok(from) => Secret { name, from: Some(from), trouble: None, is_missing: false, hint: None },
        Err(error) => {
            let is_missing = matches!(error, SecretError::Missing { .. });
            let mut said = CliError::from(error);
            let hint = said.hints.pop();
            Secret { name, from: None, trouble: said.message, is_missing, hint }
        }
    }
}

/// Where each host is.
async fn routes(plan: &Plan, hosts: &HostsFile, home: &Path, is_sandbox: bool) -> Vec<Host> {
    let named: BTreeSet<&HostId> = plan
        .steps()
        .iter()
        .filter(|step| step.members.is_empty() && !matches!(step.site(), Site::Nowhere))
        .filter_map(|step| step.host.as_ref())
        .collect();
    let mut found = Vec::with_capacity(named.len());
    for id in named {
        let route = if is_sandbox { Ok(host::sandbox_route()) } else { host::route(hosts, home, id).await };
        let name = id.to_string();
        found.push(match route {
            Ok(route) => Host {
                name,
                place: Some(route.place),
                carrier: Some(route.carrier),
                trouble: None,
                hint: None,
            },
            Err(error) => {
                Host { name, place: None, carrier: None, trouble: Some(error.message), hint: error.hint }
            }
        });
    }
    found
}
