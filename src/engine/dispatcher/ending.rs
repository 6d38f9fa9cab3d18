//! What is over: an attempt, a step, a step that stands for others, the run.

use std::sync::Arc;

use tokio::time::Instant;

use crate::engine::dispatcher::Dispatcher;
use crate::engine::ready::Fate;
use crate::engine::retry;
use crate::event::End;
use crate::event::RunStatus;
use crate::event::StepState;
use crate::event::StepStatus;
use crate::event::What;
use crate::step::Outcome;
use crate::step::StepResult;

impl Dispatcher<'_> {
    /// An attempt is over: another follows, or the step is.
    pub(super) fn over(&mut self, index: usize, mut outcome: Outcome) {
        self.running.remove(&index);
        let step = &self.plan.steps()[index];
        let policy = &step.retry;
        let attempt = self.story[index].attempts;
        let goes_on = !self.cancelled || self.ready.is_always(index);
        if goes_on && attempt < policy.max_attempts && retry::may_follow(&outcome.end, step.idempotent) {
            let delay = retry::wait_after(attempt, policy, retry::random());
            self.resting.insert((Instant::now() + delay, index));
            self.tell(What::StepRetrying { step: self.id(index), attempt, end: outcome.end, delay });
            return;
        }
        // What a step printed is kept only for those who will ask for it.
        if !self.story[index].is_read {
            outcome = Outcome { sets: outcome.sets, ..Outcome::ended(outcome.end) };
        }
        if let Some(message) = self.values.refuses(&outcome) {
            let (message, hint) =
                (self.mask().text(&message), self.mask().text("pass what is that long in files"));
            let (causes, hint) = (Vec::new(), Some(hint));
            outcome = Outcome::ended(End::Error { message, causes, hint, world: false, bug: false });
        }
        let (status, end) = (outcome.end.status(), outcome.end.clone());
        let sets = std::mem::take(&mut outcome.sets);
        if !sets.is_empty() {
            Arc::make_mut(&mut self.values).variables.extend(sets);
        }
        self.note(index, status, Some(outcome));
        self.tell_end(index, status, end);
        let fate = match status {
            StepStatus::Success => Fate::Success,
            StepStatus::Cancelled => Fate::Cancelled,
            _ => Fate::Failed,
        };
        self.ready.finish(index, fate);
    }

    /// The end of a step that stands for others.
    pub(super) fn join(&mut self, index: usize, fate: Fate, culprit: Option<usize>) {
        let (status, end) = match fate {
            Fate::Success | Fate::Passed => (StepStatus::Success, End::Exit { code: 0 }),
            Fate::Cancelled => (StepStatus::Cancelled, End::Cancelled),
            Fate::Failed | Fate::Forgiven | Fate::Blocked(_) => {
                let member = culprit.map_or_else(String::new, |member| match self.status(member) {
                    StepStatus::Skipped => format!("`{}` could not run", self.id(member)),
                    StepStatus::Lost => format!("the end of `{}` is not known", self.id(member)),
                    _ => format!("`{}` failed", self.id(member)),
                });
                let message = self.mask().text(&member);
                let end = End::Error { message, causes: Vec::new(), hint: None, world: false, bug: false };
                (StepStatus::Failed, end)
            }
        };
        self.end(index, status, end);
    }

    pub(super) fn finish(&mut self) {
        let is_cancelled = |step: &StepState| match step.status {
            StepStatus::Cancelled => true,
            // It was told to stop, and nobody saw that it did.
            StepStatus::Lost => self.cancelled,
            _ => false,
        };
        let status = if self.state.steps.iter().any(is_cancelled) {
            RunStatus::Cancelled
        } else if self.ready.has_failed() {
            RunStatus::Failed
        } else {
            RunStatus::Success
        };
        self.tell(What::RunFinished { status, duration: self.began.elapsed() });
        self.settle();
    }

    pub(super) fn end(&mut self, index: usize, status: StepStatus, end: End) {
        self.note(index, status, Some(Outcome::ended(end.clone())));
        self.tell_end(index, status, end);
    }

    fn tell_end(&mut self, index: usize, status: StepStatus, end: End) {
        let mask = self.mask();
        let story = &mut self.story[index];
        // The step's leases end with it.
        story.hold = Arc::default();
        let duration = story.began.map(|began| began.elapsed()).unwrap_or_default();
        let masked = std::mem::take(&mut story.masked)
            .into_iter()
            .map(|(name, count)| (mask.text(&name), count))
            .collect();
        let failed = matches!(status, StepStatus::Failed | StepStatus::Lost);
        let forgiven = failed && self.ready.is_forgiven(index);
        self.tell(What::StepFinished { step: self.id(index), status, end, duration, forgiven, masked });
    }

    /// Keeps what later steps can refer to; a step that was skipped has no outcome.
    pub(super) fn note(&mut self, index: usize, status: StepStatus, outcome: Option<Outcome>) {
        let exit_code = match &outcome {
            Some(Outcome { end: End::Exit { code }, .. }) => Some(*code),
            _ => None,
        };
        let (printed, cut, outputs) =
            outcome.map(|outcome| (outcome.printed, outcome.cut, outcome.outputs)).unwrap_or_default();
        let (stdout, stderr) = printed.unwrap_or_default();
        let result = StepResult { status: status.to_string(), exit_code, stdout, stderr, cut, outputs };
        let id = self.id(index);
        Arc::make_mut(&mut self.values).steps.insert(id, Arc::new(result));
    }
}
