//! `doppio runs list`.

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::runs::record::standing;
use crate::event::StepStatus;
use crate::journal::Record;
use crate::journal::Store;
use crate::ui::duration;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio runs list --output json")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<(), CliError> {
    let runs = store.list()?;
    if runs.is_empty() && !args.output.is_json() {
        output::line("there are no runs yet; start one with `doppio run RECIPE`");
    }
    let mut table = Table::new([Column::Whole, Column::Whole, Column::Right]);
    for run in runs {
        // A run whose folder has no journal that can be read is named all the same.
        let record = store.read(&run).ok();
        if args.output.is_json() {
            output::json(&json(&run, record.as_ref()))?;
        } else {
            add(&mut table, &run, record.as_ref());
        }
    }
    output::table(&table)?;
    Ok(())
}

fn add(table: &mut Table<3>, run: &RunId, record: Option<&Record>) {
    let Some(record) = record else { return table.row([run.as_str(), "unreadable", ""], "") };
    let state = &record.state;
    let done = state.leaves().filter(|step| step.status.is_over()).count();
    let time = state.duration.map(duration).unwrap_or_default();
    let recipe = state.recipe.as_ref().map(|recipe| recipe.as_str().to_owned()).unwrap_or_default();
    let failed = state.count(StepStatus::Failed) + state.count(StepStatus::Lost);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let words = format!("{recipe} ({done}/{} steps{failed})", state.leaves().count());
    table.row([run.as_str(), standing(record), &time], &words);
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
