//! The order to stop, as an attempt gets it.

use tokio::sync::watch;

/// What an attempt is asked to do from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// Go on.
    #[default]
    No,
    /// Stop: the deadline has passed.
    Timeout,
    /// Stop: the run was cancelled.
    Cancel,
}

/// Waits until the attempt is told to stop.
pub(crate) async fn stopped(mut told: watch::Receiver<Stop>) -> Stop {
    // If no sender is left, the run is over.
    told.wait_for(|stop| *stop != Stop::No).await.map_or(Stop::Cancel, |stop| *stop)
}
