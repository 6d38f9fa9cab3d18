//! Whether a step is tried again, and how long it waits before.

use std::time::Duration;

use crate::event::End;
use crate::plan::Retry;

/// The longest wait between two attempts when the recipe sets none.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

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
    use doppio_secrets::Mask;

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
        let lost = End::Lost { cause: mask.text("reset"), gone: false };
        assert!(!may_follow(&lost, false));
        assert!(may_follow(&lost, true));
        assert!(!may_follow(&End::Cancelled, true));
        assert!(!may_follow(&End::Exit { code: 0 }, true));
        let bug = |bug| End::Error {
            message: mask.text("boom"),
            causes: Vec::new(),
            hint: None,
            world: false,
            bug,
        };
        assert!(!may_follow(&bug(true), true));
        assert!(may_follow(&bug(false), false));
        assert!(may_follow(&End::Exit { code: 1 }, false));
        assert!(may_follow(&End::Timeout, false));
    }
}
