//! One attempt at a step: its deadline, its stop, its end.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use doppio_hosts::RentedMachines;
use doppio_secrets::Mask;
use doppio_text::name::HostId;

use crate::engine::deadline::Deadline;
use crate::engine::deadline::Passed;
use crate::engine::machine_end;
use crate::event::End;
use crate::plan::Plan;
use crate::step::Outcome;
use crate::step::Report;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::stopped;

/// How long an attempt that was told to stop may take to wind down: what a process has between
/// TERM and KILL, the time that KILL has, and a new connection where the one that is there does not
/// answer.
const WIND_DOWN: Duration = Duration::from_secs(45);

/// How long what happened while nobody watched may take to arrive, until a deadline that passed
/// meanwhile takes effect.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Everything one attempt needs.
pub(super) struct Attempt {
    pub plan: Arc<Plan>,
    pub index: usize,
    pub cx: StepContext,
    /// Tells the operation to stop; the dispatcher holds a clone.
    pub stop: watch::Sender<Stop>,
    pub timeout: Option<Duration>,
}

impl Attempt {
    /// Makes the attempt. Its last report is how it ended, whatever happens, and by then nothing of
    /// the attempt is left: a lease that the next step must not share has been given back.
    pub(super) async fn run(self) {
        let reports = self.cx.reports.clone();
        let id = self.cx.step.clone();
        let (machine, rentals) = (self.machine(), Arc::clone(&self.cx.rentals));
        let mask = self.cx.secrets.mask().clone();
        let mut last = self.end().await;
        if let (Report::Over(outcome), Some(machine)) = (&mut last, machine) {
            for report in machine_end::look(&rentals, &machine, outcome, &mask).await.into_iter().flatten() {
                drop(reports.send((id.clone(), report)).await);
            }
        }
        drop(reports.send((id, last)).await);
    }

    /// The rented machine on which it runs, if it is one.
    fn machine(&self) -> Option<HostId> {
        let Site::Host(field) = self.plan.steps()[self.index].site() else { return None };
        let host = self.cx.host_id(field).ok()?;
        self.cx.rentals.id(host.as_str()).map(|_| host)
    }

    async fn end(mut self) -> Report {
        let mask = self.cx.secrets.mask().clone();
        let reports = self.cx.reports.clone();
        let id = self.cx.step.clone();
        let told = self.stop.subscribe();
        let planned = &self.plan.steps()[self.index];
        let operation = planned.operation.as_ref();
        let operation = operation.expect("what stands for others is not launched");
        let unended = self.cx.unended.clone();
        // What was told to stop, and left something that nobody saw the end of, is not stopped.
        let over = |done: Done| match done {
            Ok(Err(StepError::Stopped(_))) if !unended.is_empty() => {
                let cause = "it was told to stop, and what it started may still be running".to_owned();
                over(Ok(Err(StepError::Unended { cause })), &mask)
            }
            done => over(done, &mask),
        };
        // This is no part of the attempt, and has deadlines of its own.
        if let Err(error) = self.cx.end_what_is_left().await {
            return over(Ok(Err(error)));
        }
        let work = AssertUnwindSafe(async {
            self.cx.open_ports(&planned.forward, planned.site()).await?;
            operation.run(&mut self.cx).await
        })
        .catch_unwind();
        let mut work = pin!(work);
        let deadline = Deadline::new(self.timeout);
        let stop = tokio::select! {
            biased;
            done = &mut work => return over(done),
            stop = stopped(told) => stop,
            passed = deadline.passed() => {
                if passed == Passed::Unwatched
                    && let Ok(done) = tokio::time::timeout(CATCH_UP, &mut work).await
                {
                    return over(done);
                }
                Stop::Timeout
            }
        };
        self.stop.send_replace(stop);
        if let Ok(done) = tokio::time::timeout(WIND_DOWN, &mut work).await {
            return over(done);
        }
        let text = mask.text(&format!("`{id}` did not stop in time"));
        drop(reports.send((id, Report::Notice(text))).await);
        over(Ok(Err(StepError::Stopped(stop))))
    }
}

/// What becomes of an operation: it may panic.
type Done = Result<Result<Outcome, StepError>, Box<dyn Any + Send>>;

/// The last report of an attempt.
fn over(done: Done, mask: &Mask) -> Report {
    Report::Over(match done {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::ended(end_of(error, mask)),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
            Outcome::ended(End::Error {
                message: mask.text("a bug in doppio"),
                causes: vec![mask.text(words)],
                hint: None,
                world: false,
                bug: true,
            })
        }
    })
}

/// How an attempt that could not be made, or was stopped, ended.
fn end_of(error: StepError, mask: &Mask) -> End {
    let world = !matches!(error, StepError::Failed { .. });
    let (message, causes, hint) = match error {
        StepError::Stopped(Stop::Timeout) => return End::Timeout,
        StepError::Stopped(_) => return End::Cancelled,
        StepError::Unended { cause } => return End::Lost { cause: mask.text(&cause), gone: false },
        StepError::Host(error) => (error.message, error.causes, error.hint),
        StepError::Secret(error) => (error.to_string(), Vec::new(), error.hint().map(str::to_owned)),
        StepError::Failed { message, hint } => (message, Vec::new(), hint),
    };
    let text = |text: &String| mask.text(text);
    let causes = causes.iter().map(text).collect();
    End::Error { message: text(&message), causes, hint: hint.as_ref().map(text), world, bug: false }
}
