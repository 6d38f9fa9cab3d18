//! What all connects to one server share: how many handshakes run at once, and when a login last
//! failed. sshd rejects connections above either limit (`MaxStartups`, `PerSourcePenalties`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Half of what sshd takes before it begins to refuse at random (`MaxStartups` 10:30:100).
const AT_ONCE: usize = 5;

/// sshd 9.8 and later enforces its penalties from 15 s on.
const AFTER_REFUSAL: Duration = Duration::from_secs(15);

/// Lets at most five handshakes run at once per server or jump host. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handshakes {
    servers: Arc<Mutex<HashMap<String, Server>>>,
}

#[derive(Debug)]
struct Server {
    turns: Arc<Semaphore>,
    refused: Option<Instant>,
}

impl Default for Server {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), refused: None }
    }
}

impl Handshakes {
    /// Waits for a turn at the server, and until a login may be tried there again.
    pub(in crate::ssh) async fn turn(&self, address: &str) -> OwnedSemaphorePermit {
        let turns = self.with(address, |server| server.turns.clone());
        let permit = turns.acquire_owned().await.expect("nobody closes it");
        if let Some(refused) = self.with(address, |server| server.refused) {
            tokio::time::sleep_until(refused + AFTER_REFUSAL).await;
        }
        permit
    }

    /// Remembers that the server has just refused a login, or that one succeeded.
    pub(in crate::ssh) fn remember(&self, address: &str, was_refused: bool) {
        self.with(address, |server| server.refused = was_refused.then(Instant::now));
    }

    fn with<R>(&self, address: &str, act: impl FnOnce(&mut Server) -> R) -> R {
        let mut servers = self.servers.lock().expect("no holder panics");
        act(servers.entry(address.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_at_once_per_server() {
        let handshakes = Handshakes::default();
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(handshakes.turn("a:22").await);
        }
        let sixth = tokio::time::timeout(Duration::from_mins(1), handshakes.turn("a:22")).await;
        assert!(sixth.is_err());
        drop(handshakes.turn("b:22").await);
        held.pop();
        drop(handshakes.turn("a:22").await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_not_tried_again_at_once() {
        let handshakes = Handshakes::default();
        handshakes.remember("a:22", true);
        let start = Instant::now();
        drop(handshakes.turn("a:22").await);
        assert_eq!(start.elapsed(), AFTER_REFUSAL);
        drop(handshakes.turn("a:22").await);
        assert_eq!(start.elapsed(), AFTER_REFUSAL);
        handshakes.remember("a:22", false);
    }
}
