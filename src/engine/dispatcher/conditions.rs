//! `when`: whether a step that could run wishes to. What it asks of its host is looked up first.

use std::sync::Arc;

use doppio_hosts::Hardware;
use doppio_text::name::HostId;

use crate::engine::dispatcher::Dispatcher;
use crate::engine::ready::Fate;
use crate::event::End;
use crate::event::StepStatus;
use crate::event::What;
use crate::plan::PlannedStep;
use crate::plan::When;
use crate::step::HostFact;
use crate::step::Reference;
use crate::step::Report;
use crate::step::Site;
use crate::step::StepError;

impl Dispatcher<'_> {
    /// What a step depends on has done what it must; it may still not wish to run.
    pub(super) fn ready_step(&mut self, index: usize) {
        let plan = Arc::clone(&self.plan);
        let step = &plan.steps()[index];
        let facts: Vec<HostFact> = step.when.iter().flat_map(When::facts).collect();
        if facts.is_empty() {
            return self.decide(index, Ok(None));
        }
        let host = match self.host_of_condition(step) {
            Ok(host) => host,
            Err(error) => return self.decide(index, Err(error.to_string())),
        };
        if !facts.into_iter().any(HostFact::changes)
            && let Some(known) = self.options.pool.known_hardware(&host)
        {
            return self.decide(index, Ok(Some(known)));
        }
        let (pool, reporter, id) = (Arc::clone(&self.options.pool), self.reporter.clone(), step.id.clone());
        self.asking.insert(index);
        self.attempts.spawn(async move {
            let found = Box::pin(pool.hardware(&host)).await;
            let found = found.map_err(|error| format!("what `{host}` has is not known: {error}"));
            drop(reporter.send((id, Report::Hardware(found))).await);
        });
    }

    /// A host has said what it has. A step that was cancelled meanwhile does not care.
    pub(super) fn answered(&mut self, index: usize, found: Result<Arc<Hardware>, String>) {
        if self.asking.remove(&index) {
            self.decide(index, found.map(Some));
        }
    }

    fn decide(&mut self, index: usize, found: Result<Option<Arc<Hardware>>, String>) {
        let plan = Arc::clone(&self.plan);
        let step = &plan.steps()[index];
        let wish = found.and_then(|found| {
            let facts = |fact: HostFact| found.as_deref().map(|found| fact.value(found));
            step.when.as_ref().map_or(Ok(true), |when| when.holds(&self.values, &facts))
        });
        match wish {
            Ok(true) => {
                self.tell(What::StepWaiting { step: step.id.clone() });
                if step.members.is_empty() {
                    self.queue.push_back(index);
                } else {
                    self.start(index, None);
                    self.ready.open(index);
                }
            }
            Ok(false) => {
                self.note(index, StepStatus::Skipped, None);
                let reason = self.mask().text("`when` is false");
                self.tell(What::StepSkipped { step: step.id.clone(), reason, blocked: false });
                self.ready.finish(index, Fate::Passed);
            }
            Err(why) => {
                self.tell(What::StepWaiting { step: step.id.clone() });
                self.start(index, None);
                let mask = self.mask();
                let message = mask.text("its `when` can't be evaluated");
                let causes = vec![mask.text(&why)];
                let end = End::Error { message, causes, hint: None, world: false, bug: false };
                self.end(index, StepStatus::Failed, end);
                self.ready.finish(index, Fate::Failed);
            }
        }
    }

    /// The host that a condition means: that of the step, else the run's target.
    fn host_of_condition(&self, step: &PlannedStep) -> Result<HostId, StepError> {
        let refused = |reference: &Reference| StepError::failed(format!("`${{{reference}}}` is secret"));
        match step.site() {
            Site::Local => "local".parse().map_err(|_| StepError::failed("this machine has no name")),
            Site::Host(field) => self.values.host_id(field, step.host.as_ref(), refused),
            Site::Nowhere => self.values.host_id(None, step.host.as_ref(), refused),
        }
    }
}
