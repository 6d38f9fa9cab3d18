//! `doppio secret why`.

use jiff::Timestamp;

use doppio_secrets::Asked;
use doppio_secrets::Outcome;
use doppio_secrets::vendor;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::secret::arguments::reference;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::time;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret why huggingface/token")]
pub(in crate::cli) struct Args {
    /// A name, or `SOURCE:PATH`
    reference: String,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let reference = reference(&args.reference)?;
    let ladder = lookup::ladder(context, &context.cwd, &args.lookup)?;
    let trail = ladder.trail(&reference).await;
    let now = Timestamp::now();
    // Of the many variables that people use, only those that are set say something.
    let tells = |asked: &&Asked| !matches!(asked.outcome, Outcome::Missing) || !vendor::is_alias(&asked.path);
    for asked in trail.asked.iter().filter(tells) {
        output::painted_lines(&line(asked, now), painted)?;
    }
    if trail.winner().is_some() {
        return Ok(());
    }
    if let Some(default) = &reference.default {
        let words = match default.as_str() {
            "" => "the default of the reference is used: the empty text".to_owned(),
            _ if reference.leaves_unset() => "a variable that is set to it is left unset".to_owned(),
            default => format!("the default of the reference is used: `{default}`"),
        };
        if !trail.asked.iter().any(|asked| matches!(asked.outcome, Outcome::Failed { .. })) {
            output::text(&format!("{words}\n"))?;
            return Ok(());
        }
    }
    let stopped = trail.asked.iter().find_map(|asked| match &asked.outcome {
        Outcome::Failed { hint, stops, .. } => Some((asked, hint, *stops)),
        _ => None,
    });
    Err(match (stopped, reference.name()) {
        (Some((asked, hint, stops)), _) => {
            let what = if stops { "the search stops at" } else { "what could not be asked may have it:" };
            let fault = CliError::new(Kind::World, format!("{what} {}", asked.place));
            hint.iter().fold(fault, CliError::hint)
        }
        (None, name) => {
            let what = if name.is_some() { "set" } else { "there" };
            CliError::world(format!("secret `{}` is not {what}", reference.label()))
                .hint(ladder.remedy(&reference).await)
        }
    })
}

/// One rung as a line; a second one says what to do.
fn line(asked: &Asked, now: Timestamp) -> String {
    let rung = asked.rung.map_or_else(String::new, |number| format!("{number}. "));
    let head = format!("{rung}{}: `{}`", asked.place, asked.path);
    match &asked.outcome {
        Outcome::Won(metadata) => {
            format!("{head} -> used ({})\n", time::describe(metadata, now)) + &warnings(&metadata.warnings)
        }
        Outcome::Shadowed(metadata) => {
            format!("{head} -> found, but shadowed ({})\n", time::describe(metadata, now))
                + &warnings(&metadata.warnings)
        }
        Outcome::Missing => format!("{head} -> not found\n"),
        Outcome::Absent(cause) => format!("{head} -> skipped: {cause}\n"),
        Outcome::Failed { cause, stops, .. } => {
            format!("{head} -> {}: {cause}\n", if *stops { "stops the search" } else { "could not be asked" })
        }
    }
}

/// A line of that in colour.
fn painted(line: &str) -> String {
    let Some((head, outcome)) = line.split_once(" -> ") else { return line.to_owned() };
    let style = if outcome.starts_with("used") {
        "32"
    } else if outcome.starts_with("stops the search") || outcome.starts_with("could not be asked") {
        "1;31"
    } else if outcome.starts_with("found") {
        "33"
    } else {
        "2"
    };
    format!("{head} -> {}", output::styled(style, outcome))
}

fn warnings(warnings: &[String]) -> String {
    warnings.iter().flat_map(|warning| ["   warning: ", warning.as_str(), "\n"]).collect()
}
