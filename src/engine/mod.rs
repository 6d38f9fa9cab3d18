//! Plan → events: runs the steps of a plan in parallel, as their dependencies allow.

use std::sync::Arc;

use tokio::sync::watch;

use crate::event::RunState;
use crate::event::Sink;
use crate::event::SinkError;
use crate::host::Pool;
use crate::name::RunId;
use crate::plan::Plan;
use crate::secret::Vault;

/// What a run needs besides its plan.
pub struct Options {
    /// The run's id.
    pub run: RunId,
    /// Attempts at once, at least 1.
    pub jobs: usize,
    /// The hosts.
    pub pool: Arc<Pool>,
    /// The secrets, and the mask.
    pub vault: Arc<Vault>,
    /// Goes to [`Cancel::Ask`] on the first Ctrl-C and to [`Cancel::Force`] on the second.
    pub cancel: watch::Receiver<Cancel>,
}

/// What the user wants of a run that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cancel {
    /// Nothing.
    #[default]
    No,
    /// Stop the running steps, run the `always` steps, end.
    Ask,
    /// End at once; say what is left.
    Force,
}

/// Runs a plan to its end and returns the state that its events add up to.
///
/// # Errors
///
/// When an event could not be kept: nothing further is started then.
pub async fn run(plan: Plan, options: Options, sink: &mut dyn Sink) -> Result<RunState, SinkError> {
    let _ = (plan, options, sink);
    unimplemented!("SKELETON")
}
