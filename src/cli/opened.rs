//! The sources that a command has opened: their leases end with it, after a failure too. `run` and
//! `exec` answer signals and end in order; other commands are ended by one as they are.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use futures_util::future::join_all;
use rustix::process::Signal;

use doppio_secrets::Ladder;
use doppio_secrets::source::Source;

use crate::cli::output;
use crate::cli::signals;

/// Sources that may hold leases.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened(Arc<Mutex<Vec<Arc<dyn Source>>>>);

impl Opened {
    /// Notes the sources of a ladder.
    pub(super) fn add(&self, ladder: &Ladder) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(ladder.lenders());
    }

    /// Returns all leases, and reports those that could not be returned. A signal ends the wait.
    pub(super) async fn close(&self) {
        let sources = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let closed = join_all(sources.iter().map(|source| source.close()));
        tokio::select! {
            biased;
            closed = closed => {
                for (source, closed) in sources.iter().zip(closed) {
                    let Err(error) = closed else { continue };
                    output::line(&format!("warning: {}: {error}", source.place()));
                    if let Some(hint) = error.hint() {
                        output::line(&format!("  hint: {hint}"));
                    }
                }
            }
            () = interrupted() => output::line("warning: interrupted before all leases were returned"),
        }
    }
}

/// Waits for a signal that asks to end.
async fn interrupted() {
    match signals::listen([Signal::INT, Signal::TERM, Signal::HUP]) {
        Ok(mut came) => drop(came.recv().await),
        Err(_) => std::future::pending().await,
    }
}
