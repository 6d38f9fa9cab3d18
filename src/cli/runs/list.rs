//! `doppio runs list`.

use std::process::ExitCode;

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::runs::record::Form;
use crate::cli::runs::record::standing;
use crate::event::StepStatus;
use crate::journal::Record;
use crate::journal::Store;
use crate::ui::duration;

/// Arguments of `runs list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio runs list --output json")]
pub(super) struct Args {
    /// How to print them
    #[arg(long, value_name = "FORM", value_enum, default_value = "plain")]
    output: Form,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<ExitCode, CliError> {
    let runs = store.list()?;
    if runs.is_empty() && args.output == Form::Plain {
        output::line("there are no runs yet; start one with `doppio run RECIPE`");
    }
    for run in runs {
        // A run whose folder has no journal that can be read is named all the same.
        let record = store.read(&run).ok();
        match args.output {
            Form::Plain => output::text(&format!("{}\n", plain(&run, record.as_ref())))?,
            Form::Json => output::data(&format!("{}\n", json(&run, record.as_ref())))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(run: &RunId, record: Option<&Record>) -> String {
    let Some(record) = record else { return format!("{run}  unreadable") };
    let state = &record.state;
    let done = state.leaves().filter(|step| step.status.is_over()).count();
    let time = state.duration.map(duration).unwrap_or_default();
    let recipe = state.recipe.as_ref().map(|recipe| recipe.as_str().to_owned()).unwrap_or_default();
    let failed = state.count(StepStatus::Failed) + state.count(StepStatus::Lost);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!(
        "{run}  {:11}  {time:>10}  {recipe} ({done}/{} steps{failed})",
        standing(record),
        state.leaves().count()
    )
}

fn json(run: &RunId, record: Option<&Record>) -> serde_json::Value {
    let Some(record) = record else { return serde_json::json!({ "run": run, "status": "unreadable" }) };
    let state = &record.state;
    serde_json::json!({
        "run": run,
        "recipe": state.recipe,
        "status": standing(record),
        "started": state.started,
        "duration_ms": state.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        "steps": state.leaves().count(),
        "over": state.leaves().filter(|step| step.status.is_over()).count(),
        "failed": state.count(StepStatus::Failed),
        "lost": state.count(StepStatus::Lost),
    })
}
