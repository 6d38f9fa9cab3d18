//! Intervals between requests of one kind, which vendors publish and enforce.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep_until;

/// When the next request of each kind may go out.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    next: Mutex<HashMap<&'static str, Instant>>,
}

impl Limiter {
    /// Waits for the turn of a request of this kind; the next one has its turn `interval` later.
    pub(crate) async fn turn(&self, kind: &'static str, interval: Duration) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let turn = next.get(kind).map_or(now, |next| now.max(*next));
            next.insert(kind, turn + interval);
            turn
        };
        sleep_until(turn).await;
    }

    /// Lets no request of this kind go out for this long, as the server asked.
    pub(crate) fn hold(&self, kind: &'static str, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + wait;
        next.entry(kind).and_modify(|next| *next = until.max(*next)).or_insert(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_of_one_kind_keep_their_interval_and_others_do_not_wait() {
        let limiter = Limiter::default();
        let start = Instant::now();
        limiter.turn("show", Duration::from_secs(2)).await;
        limiter.turn("list", Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        limiter.turn("show", Duration::from_secs(2)).await;
        assert_eq!(start.elapsed().as_secs(), 2);
        limiter.hold("list", Duration::from_secs(30));
        limiter.turn("show", Duration::from_secs(2)).await;
        assert_eq!(start.elapsed().as_secs(), 4);
        limiter.turn("list", Duration::from_secs(1)).await;
        assert_eq!(start.elapsed().as_secs(), 32);
    }
}
