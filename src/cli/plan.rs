//! `doppio plan`: what a run would do. There is no transport on this path: nothing can run.

mod page;

use std::collections::BTreeSet;

use page::Host;
use page::Page;
use page::Secret;
use page::drawn;
use page::painted;

use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_text::Severity;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::credentials;
use crate::cli::credentials::Survey;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::load;
use crate::cli::load::RecipeArgs;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::routes;
use crate::cli::routes::Hosts;
use crate::cli::secret::lookup;
use crate::plan::outline::show;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio plan train.toml --host gpu-box --var epochs=3")]
pub(super) struct Args {
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Shows the plan of a recipe.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    dry_run(&args.recipe, args.output, context)
}

/// The same for `run --dry-run`.
pub(super) fn dry_run(args: &RecipeArgs, output: OutputArgs, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let loaded = load::load(args, context, &hosts)?;
    let providers = credentials::providers(&args.consent, context)?;
    let vault = lookup::session(context, args.folder(), &args.lookup)?.with_providers(providers);
    let world = credentials::World {
        hosts: &hosts,
        home: &context.home,
        sandbox: args.sandbox,
        recipe: &loaded.source,
    };
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
        let routes = routes::routes(&loaded.plan, &hosts, &context.home, args.sandbox).await;
        (secrets, seen.faults, hosts_of(routes))
    })?;
    if seen.iter().any(|fault| fault.severity == Severity::Error) {
        return Err(CliError::faults(loaded.source, seen));
    }
    if !seen.is_empty() {
        output::faults(&loaded.source, &seen);
    }
    let mask = loaded.literals.mask();
    let page = Page::new(show(&loaded.plan), secrets, hosts);
    if output.is_json() {
        let line = serde_json::to_string(&page).or_world("cannot write JSON")? + "\n";
        output::data(mask.text(&line).as_str().as_bytes())?;
    } else {
        output::painted_lines(mask.text(&drawn(&page)).as_str(), painted)?;
    }
    if page.stops.is_empty() { Ok(()) } else { Err(CliError::silent(Kind::World)) }
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

/// The lines of the page about hosts.
fn hosts_of(hosts: Hosts) -> Vec<Host> {
    let found = hosts.routed.into_iter().map(|(id, route)| {
        let name = id.to_string();
        match route {
            Ok(route) => Host {
                name,
                place: Some(route.place),
                carrier: Some(route.carrier),
                is_known_later: false,
                trouble: None,
                hint: None,
            },
            Err(error) => Host {
                name,
                place: None,
                carrier: None,
                is_known_later: false,
                trouble: Some(error.message),
                hint: error.hint,
            },
        }
    });
    let mut all: Vec<Host> = found.collect();
    for later in hosts.later {
        all.push(Host {
            name: later.text,
            place: Some(later.when),
            carrier: None,
            is_known_later: true,
            trouble: None,
            hint: None,
        });
    }
    all
}
