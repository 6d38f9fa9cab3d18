//! `doppio check`: reports everything that is wrong with recipes, and runs nothing.

use std::path::Path;
use std::path::PathBuf;

use doppio_hosts::HostsFile;
use doppio_text::Diagnostic;
use doppio_text::Severity;
use doppio_text::Source;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::linked;
use crate::cli::literals::Literals;
use crate::cli::load;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::plan;
use crate::plan::Inputs;
use crate::recipe;
use crate::ui::report;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio check --deny warnings recipes/*.toml")]
pub(super) struct Args {
    /// The recipes' files
    #[arg(required = true)]
    recipes: Vec<PathBuf>,
    /// Treat these as errors
    #[arg(long, value_name = "WHAT", value_enum)]
    deny: Option<Deny>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Deny {
    Warnings,
}

/// Checks the recipes one by one; a fault in one does not keep the next from being checked.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let mut is_denied = false;
    for path in &args.recipes {
        let (source, mut faults, steps) = check(path, context, &hosts)?;
        if args.deny == Some(Deny::Warnings) {
            for fault in &mut faults {
                fault.severity = Severity::Error;
            }
        }
        is_denied |= faults.iter().any(|fault| fault.severity == Severity::Error);
        if args.output.is_json() {
            let lines = Literals::of([source.text()]).mask().text(&report::json(&source, &faults));
            output::data(lines.as_str().as_bytes())?;
        } else if faults.is_empty() {
            let plural = if steps == 1 { "" } else { "s" };
            output::line(&format!("{}: {steps} step{plural}, no faults", source.name()));
        } else {
            output::faults(&source, &faults);
        }
    }
    if is_denied { Err(CliError::silent(Kind::Usage)) } else { Ok(()) }
}

/// A recipe's text, its faults, and how many steps it comes to.
fn check(
    path: &Path,
    context: &Context,
    hosts: &HostsFile,
) -> Result<(Source, Vec<Diagnostic>, usize), CliError> {
    let source = match load::read(path) {
        Ok(source) => source,
        Err(mut error) => match error.faults.pop() {
            Some((source, faults)) => return Ok((source, faults, 0)),
            None => return Err(error),
        },
    };
    let tagged = |tag: &str| hosts.tagged(tag);
    let host_env = hosts.env_names();
    let inputs = Inputs {
        vars: &[],
        env: &context.env,
        target: None,
        tagged: &tagged,
        host_env: &host_env,
        is_check: true,
    };
    let (faults, steps) = match plan::build(recipe::parse(&source), &inputs) {
        Ok((plan, warnings)) => (warnings, plan.count()),
        Err(faults) => {
            let mut error = linked::faults(path, source, faults);
            let Some((source, faults)) = error.faults.pop() else { return Err(error) };
            return Ok((source, faults, 0));
        }
    };
    Ok((source, faults, steps))
}
