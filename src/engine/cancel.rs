//! What the user wants from a running run.

use tokio::sync::watch;

/// What the user wants from a running run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cancel {
    /// Nothing.
    #[default]
    No,
    /// Stop the running steps, run the `always` steps, end. The text says why: "interrupted".
    Ask(&'static str),
    /// End at once; say what is left.
    Force,
}

/// Listens for the user; silent for ever once no sender is left.
pub(super) struct CancelListener(watch::Receiver<Cancel>);

impl CancelListener {
    pub(super) fn new(mut receiver: watch::Receiver<Cancel>) -> Self {
        // A request made before the run began counts too.
        receiver.mark_changed();
        Self(receiver)
    }

    /// The next thing that is said.
    pub(super) async fn hear(&mut self) -> Cancel {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }
}
