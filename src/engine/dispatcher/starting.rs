//! What may start: every turn that the ready set gives, and the slots that are free.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use doppio_secrets::Masked;

use crate::engine::attempt::Attempt;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::ready::Turn;
use crate::engine::ready::Why;
use crate::event::End;
use crate::event::StepStatus;
use crate::event::What;
use crate::plan::PlannedStep;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::Stop;

impl Dispatcher<'_> {
    /// Takes every turn there is, until only ends of running steps can bring more.
    pub(super) fn advance(&mut self) {
        let now = Instant::now();
        while let Some((at, index)) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&(at, index));
            self.tell(What::StepWaiting { step: self.id(index) });
            self.queue.push_back(index);
        }
        while let Some(turn) = self.ready.pop() {
            match turn {
                Turn::Ready(index) => self.ready_step(index),
                Turn::Skip(index, why) => self.skip(index, why),
                Turn::Cancel(index) => self.end(index, StepStatus::Cancelled, End::Cancelled),
                Turn::Join(index, fate, culprit) => self.join(index, fate, culprit),
            }
        }
    }

    fn skip(&mut self, index: usize, why: Why) {
        let (text, blocked) = match why {
            Why::Failed(root) if self.status(root) == StepStatus::Lost => {
                (format!("the end of step `{}` is not known", self.id(root)), true)
            }
            Why::Failed(root) => (format!("step `{}` failed", self.id(root)), true),
            Why::GroupPassed(group) => (format!("step `{}` was skipped", self.id(group)), false),
            Why::NothingFailed => ("no step it depends on failed".to_owned(), false),
        };
        self.note(index, StepStatus::Skipped, None);
        let reason = self.mask().text(&text);
        self.tell(What::StepSkipped { step: self.id(index), reason, blocked });
    }

    /// Fills the free slots: every start is recorded and settled before any of them begins.
    pub(super) fn launch(&mut self) {
        let mut starts = Vec::new();
        while self.running.len() < self.options.jobs.max(1) {
            let Some(index) = self.queue.pop_front() else { break };
            let (switch, told) = watch::channel(Stop::No);
            let step = &self.plan.steps()[index];
            let cx = StepContext {
                step: step.id.clone(),
                attempt: self.story[index].attempts + 1,
                values: Arc::clone(&self.values),
                pool: Arc::clone(&self.options.pool),
                rentals: Arc::clone(&self.options.rentals),
                secrets: Arc::clone(&self.options.secrets),
                hold: Arc::clone(&self.story[index].hold),
                host: step.host.clone(),
                credentials: step.credentials.iter().map(|(wanted, _)| wanted.clone()).collect(),
                unended: self.story[index].unended.clone(),
                ports: self.ports.of(index),
                reports: self.reporter.clone(),
                stop: told,
            };
            let host = host_of(step, &cx).map(|host| self.mask().text(&host));
            let timeout = step.timeout;
            self.start(index, host);
            self.running.insert(index, switch.clone());
            starts.push(Attempt { plan: Arc::clone(&self.plan), index, cx, stop: switch, timeout });
        }
        self.settle();
        for start in starts {
            self.attempts.spawn(start.run());
        }
    }

    pub(super) fn start(&mut self, index: usize, host: Option<Masked>) {
        let story = &mut self.story[index];
        story.began.get_or_insert_with(Instant::now);
        story.attempts += 1;
        let attempt = story.attempts;
        self.tell(What::StepStarted { step: self.id(index), attempt, host });
    }
}

/// What to call the site where a step runs, if it is known.
fn host_of(step: &PlannedStep, cx: &StepContext) -> Option<String> {
    match step.site() {
        Site::Nowhere => None,
        Site::Local => Some("local".to_owned()),
        Site::Host(field) => cx.host_id(field).ok().map(String::from),
    }
}
