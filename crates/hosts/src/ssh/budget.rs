//! How often a host is connected to whose connections come to nothing: the server accepts the login,
//! and ends the session before any command could be started.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// Connections in a row that may come to nothing.
const TRIES: u32 = 5;

/// The wait after the first one; it doubles from then on.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// How long such a host is left alone.
const REST: Duration = Duration::from_secs(30);

/// The tries that all steps of a host share.
#[derive(Debug, Default)]
pub(in crate::ssh) struct Budget(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    /// Connections since a command could last be started.
    made: u32,
    last: Option<Instant>,
    why: String,
}

/// The right to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ssh) struct Try {
    /// How long to wait before.
    pub pause: Duration,
    /// Whether nothing has gone wrong yet.
    pub is_first: bool,
}

impl Budget {
    /// The right to connect once more, which [`made`](Self::made) spends.
    ///
    /// # Errors
    ///
    /// When that has come to nothing too often: what became of the last one.
    pub(in crate::ssh) fn grant(&self) -> Result<Try, String> {
        let mut tries = self.tries();
        if tries.last.is_some_and(|last| last.elapsed() >= REST) {
            tries.made = 0;
        }
        if tries.made >= TRIES {
            return Err(tries.why.clone());
        }
        let pause = if tries.made == 0 { Duration::ZERO } else { FIRST_WAIT * (1 << (tries.made - 1)) };
        Ok(Try { pause, is_first: tries.made == 0 })
    }

    /// A connection has been made.
    pub(in crate::ssh) fn made(&self) {
        let mut tries = self.tries();
        tries.made += 1;
        tries.last = Some(Instant::now());
    }

    /// A connection came to nothing.
    pub(in crate::ssh) fn wasted(&self, why: &str) {
        why.clone_into(&mut self.tries().why);
    }

    /// A command could be started.
    pub(in crate::ssh) fn restore(&self) {
        self.tries().made = 0;
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_tries_with_growing_pauses_then_none() {
        let budget = Budget::default();
        let mut pauses = Vec::new();
        while let Ok(next) = budget.grant() {
            pauses.push(next.pause.as_millis());
            budget.made();
            budget.wasted("closed");
        }
        assert_eq!(pauses, [0, 250, 500, 1000, 2000]);
        assert_eq!(budget.grant(), Err("closed".to_owned()));
        budget.restore();
        assert_eq!(budget.grant(), Ok(Try { pause: Duration::ZERO, is_first: true }));
    }
}
