//! What is over: an attempt, a step, a step that stands for others, the run.

use std::sync::Arc;

use tokio::time::Instant;

use crate::engine::attempt;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::ready::Fate;
use crate::engine::result::Over;
use crate::engine::result::result;
use crate::event::End;
use crate::event::RunStatus;
use crate::event::StepStatus;
use crate::event::What;
use crate::step::Value;

impl Dispatcher<'_> {
    /// An attempt is over: another follows, or the step is.
    pub(super) fn over(&mut self, place: usize, over: Over) {
        self.running.remove(&place);
        let step = &self.plan.steps()[place];
        let retry = &step.retry;
        let attempt = self.story[place].attempts;
        let goes_on = !self.cancelled || self.ready.is_always(place);
        if goes_on && attempt < retry.max_attempts && attempt::may_follow(&over.end, step.idempotent) {
            let delay = attempt::wait_after(attempt, retry, attempt::random());
            self.resting.insert((Instant::now() + delay, place));
            self.tell(What::StepRetrying { step: self.id(place), attempt, end: over.end, delay });
            return;
        }
        let status = over.status();
        if let Some(outcome) = &over.outcome {
            self.set_variables(&outcome.sets);
        }
        // What a step printed is kept only for those who will ask for it.
        let outcome = over.outcome.filter(|_| self.story[place].is_read);
        self.note(place, result(status, Some(&over.end), outcome));
        self.tell_end(place, status, over.end);
        let fate = match status {
            StepStatus::Success => Fate::Success,
            StepStatus::Cancelled => Fate::Cancelled,
            _ => Fate::Failed,
        };
        self.ready.finish(place, fate);
    }

    /// The end of a step that stands for others.
    pub(super) fn join(&mut self, place: usize, fate: Fate, culprit: Option<usize>) {
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
        self.end(place, status, end);
    }

    pub(super) fn finish(&mut self) {
        let status = if self.state.steps.iter().any(|step| step.status == StepStatus::Cancelled) {
            RunStatus::Cancelled
        } else if self.ready.has_failed() {
            RunStatus::Failed
        } else {
            RunStatus::Success
        };
        self.tell(What::RunFinished { status, duration: self.began.elapsed() });
        self.settle();
    }

    /// A step is over.
    pub(super) fn end(&mut self, place: usize, status: StepStatus, end: End) {
        self.note_result(place, status, Some(&end));
        self.tell_end(place, status, end);
    }

    fn tell_end(&mut self, place: usize, status: StepStatus, end: End) {
        let mask = self.mask();
        let story = &mut self.story[place];
        // The step's leases end with it.
        story.hold = Arc::default();
        let duration = story.began.map(|began| began.elapsed()).unwrap_or_default();
        let masked = std::mem::take(&mut story.masked)
            .into_iter()
            .map(|(name, count)| (mask.text(&name), count))
            .collect();
        let failed = matches!(status, StepStatus::Failed | StepStatus::Lost);
        let forgiven = failed && self.ready.is_forgiven(place);
        self.tell(What::StepFinished { step: self.id(place), status, end, duration, forgiven, masked });
    }

    pub(super) fn note_result(&mut self, place: usize, status: StepStatus, end: Option<&End>) {
        self.note(place, result(status, end, None));
    }

    fn note(&mut self, place: usize, result: crate::step::StepResult) {
        let id = self.id(place);
        Arc::make_mut(&mut self.values).steps.insert(id, Arc::new(result));
    }

    fn set_variables(&mut self, sets: &[(String, Value)]) {
        if !sets.is_empty() {
            Arc::make_mut(&mut self.values).variables.extend(sets.iter().cloned());
        }
    }
}
