//! `doppio runs show`.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;

use doppio_text::name::RunId;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::runs::find;
use crate::cli::runs::record::machines_json;
use crate::cli::runs::record::standing;
use crate::event::RunState;
use crate::event::StepState;
use crate::event::StepStatus;
use crate::journal::Record;
use crate::journal::Store;
use crate::ui::detail_lines;
use crate::ui::duration;
use crate::ui::end;
use crate::ui::flaky;
use crate::ui::machines;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio runs show\n  doppio runs show 7f3a --output json")]
pub(in crate::cli) struct Args {
    /// The run: the beginning or the end of its id; the newest if left out
    run: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, store: &Store) -> Result<(), CliError> {
    let (run, record) = find::record(store, args.run.as_deref())?;
    let folder = store.folder(&run).display().to_string();
    if args.output.is_json() {
        output::json(&json(&run, &record, &folder))?;
    } else {
        plain(&run, &record, &folder)?;
    }
    for fault in &record.faults {
        output::line(&format!("warning: line {} of the journal was skipped: {}", fault.line, fault.why));
    }
    Ok(())
}

fn plain(run: &RunId, record: &Record, folder: &str) -> Result<(), CliError> {
    let state = &record.state;
    let recipe = state.recipe.as_ref().map(|recipe| recipe.as_str().to_owned()).unwrap_or_default();
    let time = state.duration.map(|time| format!(" in {}", duration(time))).unwrap_or_default();
    let mut head = format!("run `{run}` of `{recipe}`: {}{time}\n", standing(record));
    if record.is_abandoned() {
        head.push_str(
            "doppio stopped without finishing the journal; steps that were running are lost: how they ended is not known\n",
        );
    }
    output::text(&head)?;
    output::coloured_table(&steps(state))?;
    let mut tail = String::new();
    for (step, notice) in &state.notices {
        let about = step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
        writeln!(tail, "! {about}{}", notice.as_str()).expect("a string takes text");
    }
    for line in machines(state, Timestamp::now()) {
        writeln!(tail, "{line}").expect("a string takes text");
    }
    writeln!(tail, "log: {folder}").expect("a string takes text");
    output::text(&tail)
}

/// The steps, a row each, with what there is to know of them below.
fn steps(state: &RunState) -> Table<2> {
    let mut table = Table::new([Column::Whole, Column::Name]).indented(2);
    for step in &state.steps {
        table.row([&step.status.to_string(), step.outline.id.as_str()], &how(step));
        if let Some(colour) = colour(step) {
            table.paint(0, colour);
        }
        if matches!(step.status, StepStatus::Failed | StepStatus::Lost) {
            for line in detail_lines(step) {
                table.below_column(1, &line);
            }
        }
        for delivery in &step.deliveries {
            let (secret, form) = (delivery.secret.as_str(), delivery.form());
            let what = if delivery.is_default { "is not set: its default was sent" } else { "went" };
            table.below_column(1, &format!("secret `{secret}` {what} as {form} ({})", delivery.carrier));
        }
        for (secret, times) in &step.masked {
            let plural = if *times == 1 { "" } else { "s" };
            table.below_column(1, &format!("`{}` was masked {times} time{plural}", secret.as_str()));
        }
    }
    table
}

/// The colour of a step's status.
fn colour(step: &StepState) -> Option<Colour> {
    match step.status {
        StepStatus::Success if step.attempts > 1 => Some(Colour::Between),
        StepStatus::Success => Some(Colour::Good),
        StepStatus::Failed | StepStatus::Lost => Some(Colour::Bad),
        StepStatus::Cancelled | StepStatus::Skipped => Some(Colour::Dim),
        _ => None,
    }
}

/// What there is to report about a step besides its status.
fn how(step: &StepState) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(step.duration.filter(|_| step.attempts > 0).map(duration));
    parts.extend(step.host.as_ref().map(|host| format!("on {}", host.as_str())));
    match flaky(step) {
        Some(flaky) => parts.push(flaky),
        None if step.attempts > 1 => parts.push(format!("{} attempts", step.attempts)),
        None => {}
    }
    parts.extend(step.reason.as_ref().map(|reason| reason.as_str().to_owned()));
    if !matches!(step.status, StepStatus::Success | StepStatus::Skipped)
        && let Some(last) = &step.end
    {
        parts.push(end(last));
    }
    if step.forgiven {
        parts.push("allowed to fail".to_owned());
    }
    parts.join(", ")
}

fn json(run: &RunId, record: &Record, folder: &str) -> serde_json::Value {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let state = &record.state;
    let step = |step: &StepState| {
        serde_json::json!({
            "id": step.outline.id,
            "name": step.outline.name,
            "kind": step.outline.kind,
            "needs": step.outline.needs,
            "members": step.outline.members,
            "status": step.status,
            "attempts": step.attempts,
            "host": step.host,
            "process": step.process,
            "started": step.started,
            "duration_ms": step.duration.map(millis),
            "reason": step.reason,
            "forgiven": step.forgiven,
            "end": step.end,
            "deliveries": step.deliveries,
            "masked": step.masked,
        })
    };
    serde_json::json!({
        "run": run,
        "recipe": state.recipe,
        "status": standing(record),
        "started": state.started,
        "duration_ms": state.duration.map(millis),
        "folder": folder,
        "cost": state.cost(Timestamp::now()),
        "machines": machines_json(state, Timestamp::now()),
        "steps": state.steps.iter().map(step).collect::<Vec<_>>(),
        "notices": state.notices.iter().map(|(step, text)| serde_json::json!({ "step": step, "text": text })).collect::<Vec<_>>(),
    })
}
