//! `doppio plan`: what a run would do. There is no transport on this path: nothing can run.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::load::Loaded;
use crate::cli::load::RecipeArgs;
use crate::cli::output;
use crate::plan::show::Shown;
use crate::plan::show::ShownStep;
use crate::plan::show::show;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio plan train.toml --host gpu-box --var epochs=3")]
pub(super) struct Args {
    #[command(flatten)]
    recipe: RecipeArgs,
    /// How to show it
    #[arg(long, value_name = "FORM", value_enum, default_value = "plain")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Plain,
    Json,
}

/// A plan, and what is known of the world that it needs.
#[derive(Debug, Serialize)]
struct Page {
    #[serde(flatten)]
    plan: Shown,
    secrets: Vec<Secret>,
}

/// A secret that the plan needs.
#[derive(Debug, Serialize)]
struct Secret {
    /// As the recipe refers to it.
    secret: String,
    /// Where it would come from.
    from: Option<String>,
    /// Why it can't be had.
    trouble: Option<String>,
    /// What to do about that.
    hint: Option<String>,
}

/// Shows the plan of a recipe.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    dry_run(&args.recipe, args.output == Form::Json, context)
}

/// The same for `run --dry-run`.
pub(super) fn dry_run(recipe: &RecipeArgs, as_json: bool, context: &Context) -> Result<ExitCode, CliError> {
    let loaded = load::load(recipe, context, &load::hosts(context)?)?;
    loaded.say_warnings();
    print(&loaded, as_json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(loaded: &Loaded, as_json: bool) -> Result<(), CliError> {
    let page = Page { plan: show(&loaded.plan), secrets: Vec::new() };
    if as_json {
        let json = serde_json::to_string(&page)
            .map_err(|error| CliError::world("cannot write the plan").cause(error.to_string()))?;
        return output::data(&(json + "\n"));
    }
    output::data(&drawn(&page))
}

/// The page for people.
fn drawn(page: &Page) -> String {
    let plan = &page.plan;
    let mut text = clean(&plan.recipe);
    let count = plan.steps.len();
    write!(text, ": {count} step{}", if count == 1 { "" } else { "s" }).ok();
    if let Some(target) = &plan.target {
        write!(text, ", target {target}").ok();
    }
    text.push('\n');
    for (number, step) in plan.steps.iter().enumerate() {
        draw_step(&mut text, number + 1, step);
    }
    text
}

fn draw_step(text: &mut String, number: usize, step: &ShownStep) {
    write!(text, "\n{number}. {}", clean(&step.id)).ok();
    if let Some(name) = &step.name {
        write!(text, " ({})", clean(name)).ok();
    }
    write!(text, "  {}", step.kind).ok();
    if let Some(host) = step.host.as_ref().filter(|_| step.members.is_empty()) {
        write!(text, " on {host}").ok();
    }
    text.push('\n');
    let mut facts: Vec<String> = Vec::new();
    if !step.members.is_empty() {
        facts.push(format!("stands for {}", list(&step.members)));
    }
    if !step.needs.is_empty() {
        facts.push(format!("after {}", list(&step.needs)));
    }
    facts.extend(step.when.iter().map(|when| format!("when {when}")));
    if step.run_if != "success" {
        facts.push(format!("run if {}", step.run_if));
    }
    facts.extend(step.timeout_secs.map(|seconds| format!("timeout {seconds} s")));
    facts.extend(step.retry.clone());
    if step.continue_on_failure {
        facts.push("may fail".to_owned());
    }
    for fact in facts {
        writeln!(text, "   {}", clean(&fact)).ok();
    }
    for line in &step.does {
        writeln!(text, "   │ {}", clean(line)).ok();
    }
    if !step.env_names.is_empty() {
        writeln!(text, "   carries {}", step.env_names.join(", ")).ok();
    }
}

/// Ids, and a count where there are many.
fn list(ids: &[String]) -> String {
    const MOST: usize = 8;
    let shown = ids.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > MOST { format!("{shown} and {} more", ids.len() - MOST) } else { shown }
}

/// Text of the recipe, without what a terminal would obey.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}
