//! One attempt at a step: its deadline, its stop, its end; and the wait before the next.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use doppio_secrets::Mask;

use crate::event::End;
use crate::plan::Plan;
use crate::plan::Retry;
use crate::step::Outcome;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::stopped;

/// How long an attempt that was told to stop may take to wind down: what a process has between
/// TERM and KILL, the time that KILL has, and a new connection where there is no free channel.
const WIND_DOWN: Duration = Duration::from_secs(30);

/// The longest wait between two attempts when the recipe sets none.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

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
        let last = self.end().await;
        drop(reports.send((id, last)).await);
    }

    async fn end(mut self) -> Report {
        let mask = self.cx.secrets.mask().clone();
        let reports = self.cx.reports.clone();
        let id = self.cx.step.clone();
        let told = self.stop.subscribe();
        let operation = self.plan.steps()[self.index].operation.as_ref();
        let operation = operation.expect("what stands for others is not launched");
        let mut work = AssertUnwindSafe(operation.run(&mut self.cx)).catch_unwind();
        let stop = tokio::select! {
            biased;
            done = &mut work => return over(done, &mask),
            stop = stopped(told) => stop,
            () = tokio::time::sleep(self.timeout.unwrap_or_default()), if self.timeout.is_some() => Stop::Timeout,
        };
        self.stop.send_replace(stop);
        if let Ok(done) = tokio::time::timeout(WIND_DOWN, &mut work).await {
            return over(done, &mask);
        }
        let text = mask.text(&format!("`{id}` did not stop in time; what it started may still be running"));
        drop(reports.send((id, Report::Notice(text))).await);
        over(Ok(Err(StepError::Stopped(stop))), &mask)
    }
}

/// The last report of an attempt.
fn over(done: Result<Result<Outcome, StepError>, Box<dyn Any + Send>>, mask: &Mask) -> Report {
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
        StepError::Host(error) => (error.message, error.causes, error.hint),
        StepError::Secret(error) => (error.to_string(), Vec::new(), error.hint().map(str::to_owned)),
        StepError::Failed { message, hint } => (message, Vec::new(), hint),
    };
    let text = |text: &String| mask.text(text);
    let causes = causes.iter().map(text).collect();
    End::Error { message: text(&message), causes, hint: hint.as_ref().map(text), world, bug: false }
}

/// Whether another attempt may follow one that ended like this. After `lost` only if the step is
/// `idempotent`: the command may have run, and may still.
pub(super) fn may_follow(end: &End, idempotent: bool) -> bool {
    match end {
        End::Exit { .. } => !end.is_success(),
        End::Signal { .. } | End::Timeout => true,
        End::Error { bug, .. } => !bug,
        End::Lost { .. } => idempotent,
        End::Cancelled => false,
    }
}

/// The wait after the `attempt`th attempt, counted from 1. `random` is in `0.0..1.0`.
pub(super) fn wait_after(attempt: u32, retry: &Retry, random: f64) -> Duration {
    let longest = retry.max_delay.unwrap_or(LONGEST_WAIT);
    let growth = retry.backoff.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
    let wait =
        Duration::try_from_secs_f64(retry.delay.as_secs_f64() * growth).unwrap_or(longest).min(longest);
    if retry.jitter { wait.mul_f64(0.5 + random / 2.0) } else { wait }
}

/// A number in `0.0..1.0`; where the system gives no randomness, always the same one.
pub(super) fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(delay: u64, backoff: f64, max_delay: Option<u64>) -> Retry {
        Retry {
            max_attempts: 9,
            delay: Duration::from_secs(delay),
            backoff,
            max_delay: max_delay.map(Duration::from_secs),
            jitter: false,
        }
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
        let waits = |retry: Retry| -> Vec<u64> {
            (1..6).map(|attempt| wait_after(attempt, &retry, 0.0).as_secs()).collect()
        };
        assert_eq!(waits(retry(5, 1.0, None)), [5, 5, 5, 5, 5]);
        assert_eq!(waits(retry(5, 2.0, None)), [5, 10, 20, 40, 80]);
        assert_eq!(waits(retry(5, 2.0, Some(30))), [5, 10, 20, 30, 30]);
        assert_eq!(waits(retry(0, 2.0, None)), [0; 5]);
        assert_eq!(wait_after(4000, &retry(5, 10.0, None), 0.0), LONGEST_WAIT);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let retry = Retry { jitter: true, ..retry(10, 1.0, None) };
        assert_eq!(wait_after(1, &retry, 0.0), Duration::from_secs(5));
        assert!(wait_after(1, &retry, 0.999) > Duration::from_millis(9990));
        assert!((0..100).map(|_| random()).all(|random| (0.0..1.0).contains(&random)));
    }

    #[test]
    fn what_may_have_run_is_not_run_again() {
        let mask = Mask::default();
        let lost = End::Lost { cause: mask.text("reset") };
        assert!(!may_follow(&lost, false));
        assert!(may_follow(&lost, true));
        assert!(!may_follow(&End::Cancelled, true));
        assert!(!may_follow(&End::Exit { code: 0 }, true));
        let Report::Over(panicked) = over(Err(Box::new("boom")), &mask) else { panic!("it is over") };
        assert!(!may_follow(&panicked.end, true));
        assert!(may_follow(&End::Exit { code: 1 }, false));
        assert!(may_follow(&End::Timeout, false));
    }
}
