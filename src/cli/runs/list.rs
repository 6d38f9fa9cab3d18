//! `doppio runs list`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::runs::record::colour;
use crate::cli::runs::record::machines_json;
use crate::cli::runs::record::standing;
use crate::event::RunState;
use crate::event::StepStatus;
use crate::journal::Record;
use crate::journal::Store;
use crate::ui::dollars;
use crate::ui::duration;
use crate::ui::machines_left;
use crate::ui::table::Colour;
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
    if args.output.is_json() {
        return runs.iter().try_for_each(|run| output::json(&json(run, store.read(run).ok().as_ref())));
    }
    if runs.is_empty() {
        output::line("there are no runs yet; start one with `doppio run RECIPE`");
        return Ok(());
    }
    output::coloured_table(&table(store, &runs))
}

/// The runs, a line each.
pub(super) fn table(store: &Store, runs: &[RunId]) -> Table<5> {
    let columns = [Column::Whole, Column::Whole, Column::Whole, Column::Right, Column::Name];
    let mut table = Table::new(columns);
    table.row(["RUN", "STATUS", "STARTED (UTC)", "TIME", "HOST"], "RECIPE");
    for column in 0..5 {
        table.paint(column, Colour::Dim);
    }
    for run in runs {
        // A run whose folder has no journal that can be read is named all the same.
        add(&mut table, run, store.read(run).ok().as_ref());
    }
    table
}

fn add(table: &mut Table<5>, run: &RunId, record: Option<&Record>) {
    let Some(record) = record else { return table.row([run.as_str(), "unreadable", "", "", ""], "") };
    let state = &record.state;
    let done = state.leaves().filter(|step| step.status.is_over()).count();
    let started = state.started.map(|time| time.strftime("%m-%d %H:%M").to_string()).unwrap_or_default();
    let time = state.duration.map(duration).unwrap_or_default();
    let recipe = state.recipe.as_ref().map(|recipe| recipe.as_str().to_owned()).unwrap_or_default();
    let failed = state.count(StepStatus::Failed) + state.count(StepStatus::Lost);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let left = machines_left(state);
    let so_far = if left.is_empty() { "" } else { " so far" };
    let cost = state.cost(Timestamp::now());
    let cost = cost.map(|cost| format!(", {}{so_far}", dollars(cost))).unwrap_or_default();
    let words = format!("{recipe} ({done}/{}{failed}){cost}", state.leaves().count());
    table.row([run.as_str(), standing(record), &started, &time, &hosts(state)], &words);
    table.paint(1, colour(record));
    for line in &left {
        table.below_column(1, line);
    }
}

/// The hosts of a run; how many they are, where they are several.
fn hosts(state: &RunState) -> String {
    let hosts: BTreeSet<&str> =
        state.steps.iter().filter_map(|step| Some(step.host.as_ref()?.as_str())).collect();
    match hosts.len() {
        0 | 1 => hosts.into_iter().collect(),
        more => format!("{more} hosts"),
    }
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
        "cost": state.cost(Timestamp::now()),
        "machines": machines_json(state, Timestamp::now()),
    })
}
