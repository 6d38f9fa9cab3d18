//! The summary of a run, and its exit code.

use std::io;
use std::path::PathBuf;

use doppio_text::name::StepId;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::event::End;
use crate::event::RunState;
use crate::event::RunStatus;
use crate::event::SinkError;
use crate::event::StepStatus;
use crate::journal::Missing;
use crate::ui::Failure;
use crate::ui::Paint;
use crate::ui::failures;
use crate::ui::outcome;
use crate::ui::summary;

/// How a run went, and what there is to read of it.
pub(in crate::cli) struct Ended {
    /// What its events add up to.
    pub state: RunState,
    /// Where its journal and logs are.
    pub folder: PathBuf,
    /// What is missing in logs.
    pub missing: Vec<(StepId, Missing)>,
    /// Why the journal ends before the run.
    pub unkept: Option<SinkError>,
    /// Whether all could be shown.
    pub shown: io::Result<()>,
}

impl Ended {
    /// Says what is missing in the record of the run.
    pub(in crate::cli) fn warn(&self) {
        let Self { missing, unkept, .. } = self;
        for (step, missing) in missing {
            let parts =
                [(missing.cut, "are left out of its middle"), (missing.unwritten, "could not be written")];
            for (bytes, what) in parts.into_iter().filter(|(bytes, _)| *bytes > 0) {
                output::line(&format!("log of step `{step}`: {bytes} bytes {what}"));
            }
        }
        output::warnings(
            unkept.iter().map(|error| {
                format!("{error}: {}; the record of this run ends before its end", error.source)
            }),
        );
    }
}

/// Says how a run went.
pub(super) fn say(ended: &Ended) -> Result<(), CliError> {
    let Ended { state, folder, shown, .. } = ended;
    output::painted_line(&outcome(state, Paint(true)));
    for line in summary(state, &folder.display().to_string()) {
        output::line(&line);
    }
    ended.warn();
    let unshown = shown.as_ref().err().map(|error| {
        let is_told = error.kind() == io::ErrorKind::Interrupted;
        let kind = if is_told { Kind::Interrupted } else { Kind::World };
        CliError::new(kind, "cannot write the events to stdout").cause(error.to_string())
    });
    let Some(kind) = kind(state) else { return unshown.map_or(Ok(()), Err) };
    if let Some(unshown) = unshown {
        output::fail(&unshown);
    }
    let (failures, hints) = failures(state);
    if kind == Kind::Interrupted && failures.is_empty() {
        let reason = state.cancelling.as_ref().map_or("interrupted", |reason| reason.as_str());
        return Err(CliError::new(kind, format!("the run was cancelled: {reason}")));
    }
    let mut error = told(kind, failures, hints);
    if kind == Kind::Bug {
        error.hints.push("this is a bug in doppio: report it with the journal of the run".to_owned());
    }
    Err(error)
}

/// Says all failures but the last, which is left for the end.
pub(in crate::cli) fn told(kind: Kind, mut failures: Vec<Failure>, hints: Vec<String>) -> CliError {
    let last = failures.pop();
    for failure in failures {
        let mut error = CliError::new(kind, failure.message);
        error.causes = failure.causes;
        output::fail(&error);
    }
    let mut error = CliError::silent(kind);
    if let Some(failure) = last {
        error.message = Some(failure.message);
        error.causes = failure.causes;
    }
    error.hints = hints;
    error
}

/// Whose problem it is; none when the run went well.
fn kind(state: &RunState) -> Option<Kind> {
    let ends = || {
        let failed = |status| matches!(status, StepStatus::Failed | StepStatus::Lost);
        let steps = state.steps.iter().filter(|step| step.outline.members.is_empty() && !step.forgiven);
        steps.filter(move |step| failed(step.status)).filter_map(|step| step.end.as_ref())
    };
    if state.steps.iter().any(|step| matches!(step.end, Some(End::Error { bug: true, .. }))) {
        return Some(Kind::Bug);
    }
    match state.status {
        Some(RunStatus::Success) => None,
        Some(RunStatus::Cancelled) => Some(Kind::Interrupted),
        Some(RunStatus::Failed) | None => {
            let is_world = |end: &End| matches!(end, End::Error { world: true, .. });
            let all_world = ends().count() > 0 && ends().all(is_world);
            Some(if all_world { Kind::World } else { Kind::StepFailed })
        }
    }
}
