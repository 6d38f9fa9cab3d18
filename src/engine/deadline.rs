//! A deadline that counts all the time that passes, also while this machine sleeps, and knows whether
//! anyone was there when it passed.

use std::time::Duration;

use rustix::time::ClockId;
use rustix::time::clock_gettime;
use tokio::time::Instant;

/// How often the clocks are read.
const TICK: Duration = Duration::from_secs(1);

/// How much later than asked for a tick may come while this program runs.
const LATE: Duration = Duration::from_secs(1);

/// The clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::Boottime;

/// The clock that goes on while the machine sleeps.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCK: ClockId = ClockId::Monotonic;

/// A point in time, on both clocks.
struct Moment {
    ours: Instant,
    machines: Duration,
}

impl Moment {
    fn now() -> Self {
        Self { ours: Instant::now(), machines: machine_time() }
    }

    /// The time since then: what the clock says that counted more.
    fn elapsed(&self) -> Duration {
        self.ours.elapsed().max(machine_time().saturating_sub(self.machines))
    }
}

fn machine_time() -> Duration {
    let time = clock_gettime(CLOCK);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// How a deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// While this program ran.
    Watched,
    /// While this program was stopped or the machine slept: what came meanwhile is not read yet.
    Unwatched,
}

/// A deadline, counted from when it was made.
pub(super) struct Deadline {
    began: Moment,
    limit: Option<Duration>,
}

impl Deadline {
    /// One that passes after `limit`; never without one.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { began: Moment::now(), limit }
    }

    /// Waits until it has passed.
    pub(super) async fn passed(&self) -> Passed {
        let Some(limit) = self.limit else { return std::future::pending().await };
        let mut passed = Passed::Watched;
        loop {
            let left = limit.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return passed;
            }
            let tick = left.min(TICK);
            let before = Moment::now();
            tokio::time::sleep(tick).await;
            passed = if before.elapsed() > tick + LATE { Passed::Unwatched } else { Passed::Watched };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_passes_when_its_time_is_over() {
        let began = Instant::now();
        let passed = Deadline::new(Some(Duration::from_millis(2500))).passed().await;
        assert_eq!((passed, began.elapsed()), (Passed::Watched, Duration::from_millis(2500)));
    }

    // case D4
    #[tokio::test(start_paused = true)]
    async fn a_gap_in_the_clock_is_noticed() {
        let deadline = Deadline::new(Some(Duration::from_mins(1)));
        let watch = deadline.passed();
        tokio::pin!(watch);
        assert!(futures_util::poll!(&mut watch).is_pending());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(watch.await, Passed::Unwatched);
    }
}
