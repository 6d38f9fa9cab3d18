//! The summary of a run: how it went, how its secrets travelled, what to type next.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;

use doppio_text::shell::typed;

use crate::event::End;
use crate::event::RunState;
use crate::event::StepState;
use crate::event::StepStatus;
use crate::ui::Paint;
use crate::ui::machines::machines;
use crate::ui::words;
use crate::ui::words::Details;

/// Failures that are listed one by one; the rest is counted.
const TOLD: usize = 10;

/// How a run went, in one line.
pub fn outcome(state: &RunState, paint: Paint) -> String {
    let run = state.run.as_ref().map_or("?", |run| run.as_str());
    let time = state.duration.map(words::duration).unwrap_or_default();
    format!("run `{run}`: {} in {time}", counts(state, paint))
}

/// What else there is to say of it, line by line. `folder` is where its journal is.
pub fn summary(state: &RunState, folder: &str) -> Vec<String> {
    let mut lines = deliveries(state);
    lines.extend(masked(state));
    // A run that is over is counted to its end; what goes on is told by the hour.
    let end = state.started.zip(state.duration).map(|(started, duration)| started + duration);
    lines.extend(machines(state, end.unwrap_or_else(Timestamp::now)));
    lines.push(format!("log: {folder}"));
    lines
}

/// `4 done, 1 failed, 2 skipped`: steps that stand for others are not counted.
fn counts(state: &RunState, paint: Paint) -> String {
    type Brush = fn(Paint, &str) -> String;
    let words: [(StepStatus, &str, Brush); 5] = [
        (StepStatus::Success, "done", Paint::green),
        (StepStatus::Failed, "failed", Paint::red),
        (StepStatus::Lost, "lost", Paint::red),
        (StepStatus::Cancelled, "cancelled", Paint::yellow),
        (StepStatus::Skipped, "skipped", Paint::yellow),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(status, word, brush)| (state.count(status), word, brush))
        .filter(|(number, word, _)| *number > 0 || *word == "done")
        .map(|(number, word, brush)| brush(paint, &format!("{number} {word}")))
        .collect();
    let flaky = state.leaves().filter(|step| words::flaky(step).is_some()).count();
    let flaky = if flaky > 0 { paint.yellow(&format!(" ({flaky} flaky)")) } else { String::new() };
    parts.join(", ") + &flaky
}

/// One line a secret and a way: where it went.
fn deliveries(state: &RunState) -> Vec<String> {
    let mut ways: BTreeMap<(&str, &str, &str, bool), BTreeSet<&str>> = BTreeMap::new();
    for step in &state.steps {
        for delivery in &step.deliveries {
            let (secret, variable) = (delivery.secret.as_str(), delivery.form());
            let way = (secret, variable, delivery.carrier.as_str(), delivery.is_default);
            ways.entry(way).or_default().insert(step.outline.id.as_str());
        }
    }
    ways.into_iter()
        .map(|((secret, variable, carrier, is_default), steps)| {
            let what = if is_default { "is not set: its default was sent" } else { "went" };
            format!("secret `{secret}` {what} as {variable} to {} ({carrier})", names(&steps))
        })
        .collect()
}

fn names(steps: &BTreeSet<&str>) -> String {
    const FEW: usize = 3;
    if steps.len() > FEW {
        return words::count(steps.len(), "step", "steps");
    }
    let names: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
    format!("step{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
}

fn masked(state: &RunState) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &state.steps {
        for (secret, times) in &step.masked {
            let outputs = if *times == 1 { "output of" } else { "outputs of" };
            let were = if *times == 1 { "was" } else { "were" };
            let id = &step.outline.id;
            lines.push(format!("{times} {outputs} `{}` {were} masked in step `{id}`", secret.as_str()));
        }
    }
    lines
}

/// A step that failed: one line, and the causes below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which step, where, how.
    pub message: String,
    /// From what Doppio was doing down to what the system said.
    pub causes: Vec<String>,
}

/// What failed and was not allowed to; and hints: what to do, and what to type next.
pub fn failures(state: &RunState) -> (Vec<Failure>, Vec<String>) {
    failures_of(state, |step| format!("step `{}`", step.outline.id), ("step", "steps"))
}

/// The same in other words: what each is called, and one of them and several.
pub fn failures_of(
    state: &RunState,
    name: impl Fn(&StepState) -> String,
    (one, several): (&str, &str),
) -> (Vec<Failure>, Vec<String>) {
    let failed: Vec<&StepState> = state
        .leaves()
        .filter(|step| matches!(step.status, StepStatus::Failed | StepStatus::Lost) && !step.forgiven)
        .collect();
    let mut hints: Vec<String> = Vec::new();
    let mut told: Vec<Failure> = Vec::new();
    for step in failed.iter().take(TOLD) {
        let how = step.end.as_ref().map(words::end).unwrap_or_default();
        let verb = if step.status == StepStatus::Lost { "is lost" } else { "failed" };
        let Details { causes, hint } = words::details(step);
        told.push(Failure {
            message: format!("{} {verb}{}: {how}", name(step), words::on_host(step)),
            causes,
        });
        // A hint may show several lines of a file to write.
        hints.extend(hint);
    }
    if failed.len() > TOLD {
        let message = format!("{} more failed", words::count(failed.len() - TOLD, one, several));
        told.push(Failure { message, causes: Vec::new() });
    }
    let has_printed = |step: &&&StepState| {
        matches!(step.end, Some(End::Exit { .. } | End::Signal { .. } | End::Timeout | End::Lost { .. }))
    };
    if let (Some(step), Some(run)) = (failed.iter().find(has_printed), &state.run) {
        let command = ["doppio", "runs", "logs", run.as_str(), "--step", step.outline.id.as_str()];
        hints.push(format!("see all it printed with {}", typed(command)));
    }
    let mut seen = BTreeSet::new();
    hints.retain(|hint| seen.insert(hint.clone()));
    (told, hints)
}
