//! Doing something once for all who ask at the same time.

use std::future::Future;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::HostError;

/// Shares attempts: those who ask while one is under way get what it came to, a failure too; who
/// asks later starts a new one.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    last: Mutex<Option<(Instant, HostError)>>,
    kind: std::marker::PhantomData<fn() -> T>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None), kind: std::marker::PhantomData }
    }
}

impl<T> SingleFlight<T> {
    /// Waits for an attempt under way; makes one if it is not `done` after that.
    pub(crate) async fn share(
        &self,
        done: impl Fn() -> Option<T>,
        attempt: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(value) = done() {
            return Ok(value);
        }
        if let Some((when, error)) = last.as_ref()
            && *when >= asked
        {
            return Err(error.clone());
        }
        let result = attempt.await;
        *last = result.as_ref().err().map(|error| (Instant::now(), error.clone()));
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    use super::*;

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_waited_and_not_kept() {
        let flight = SingleFlight::<u32>::default();
        let attempts = AtomicU32::new(0);
        let ask = || {
            flight.share(|| None, async {
                attempts.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(HostError::new("no"))
            })
        };
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert!(a.is_err() && b.is_err() && c.is_err());
        assert_eq!(attempts.load(Ordering::Relaxed), 1);
        assert!(ask().await.is_err());
        assert_eq!(attempts.load(Ordering::Relaxed), 2);
    }
}
