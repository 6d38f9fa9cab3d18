//! Ending early: the user asks for it, or does not even wait.

use crate::engine::dispatcher::Dispatcher;
use crate::engine::ready::Fate;
use crate::engine::ready::ReadySet;
use crate::event::End;
use crate::event::StepStatus;
use crate::event::What;
use crate::step::Stop;

impl Dispatcher<'_> {
    /// The user wants the run to end: what runs is stopped, what has not begun is cancelled, and
    /// `always` steps go on.
    pub(super) fn cancel(&mut self, reason: &str) {
        if self.cancelled {
            return;
        }
        self.cancelled = true;
        let reason = self.mask().text(reason);
        self.tell(What::RunCancelling { reason, forced: false });
        self.ready.cancel();
        for (index, stop) in &self.running {
            if !self.ready.is_always(*index) {
                stop.send_replace(Stop::Cancel);
            }
        }
        for index in self.take_idle(|ready, index| !ready.is_always(index)) {
            self.end(index, StepStatus::Cancelled, End::Cancelled);
            self.ready.finish(index, Fate::Cancelled);
        }
    }

    /// The user does not want to wait: nothing is waited for, and what is left is said.
    pub(super) fn force(&mut self) {
        self.attempts.abort_all();
        let reason = self.mask().text("ended by force");
        self.tell(What::RunCancelling { reason, forced: true });
        self.cancelled = true;
        let mut left: Vec<usize> = self.running.drain().map(|(index, _)| index).collect();
        left.sort_unstable();
        for index in left {
            let id = self.id(index);
            let text = self.mask().text(&format!("step `{id}` was not waited for"));
            self.tell(What::Notice { step: Some(id), text });
            let cause = self.mask().text("doppio was told to end at once");
            self.end(index, StepStatus::Lost, End::Lost { cause, gone: false });
        }
        for index in 0..self.plan.steps().len() {
            if self.status(index).is_over() {
                continue;
            }
            if self.ready.is_always(index) && self.plan.steps()[index].members.is_empty() {
                let text = format!("step `{}` should always run, but did not", self.id(index));
                let text = self.mask().text(&text);
                self.tell(What::Notice { step: Some(self.id(index)), text });
            }
            self.end(index, StepStatus::Cancelled, End::Cancelled);
        }
    }

    /// Takes steps out that wait for a slot, for their next attempt or for what their host has.
    fn take_idle(&mut self, wanted: impl Fn(&ReadySet, usize) -> bool) -> Vec<usize> {
        let ready = &self.ready;
        let mut taken: Vec<usize> =
            self.queue.iter().copied().filter(|index| wanted(ready, *index)).collect();
        taken.extend(self.asking.iter().copied().filter(|index| wanted(ready, *index)));
        taken.extend(self.resting.iter().map(|(_, index)| *index).filter(|index| wanted(ready, *index)));
        self.queue.retain(|index| !taken.contains(index));
        self.asking.retain(|index| !taken.contains(index));
        self.resting.retain(|(_, index)| !taken.contains(index));
        taken
    }
}
