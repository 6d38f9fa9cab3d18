//! Plan → events: runs the steps of a plan in parallel, as their dependencies allow.
//!
//! `ready` says which step comes next, `attempt` makes one attempt at a step, and
//! `dispatcher` is between them: the only author of events and the only owner of what is known.
//! Attempts tell it what happens over one bounded channel and share no lock with it.

mod attempt;
mod cancel;
mod deadline;
mod dispatcher;
mod lasting_ports;
mod machine_end;
mod options;
mod ready;
mod retry;
#[cfg(test)]
mod tests;

use crate::event::RunState;
use crate::event::Sink;
use crate::event::SinkError;
use crate::plan::Plan;

pub use cancel::Cancel;
pub use options::Options;

/// Runs a plan to its end and returns the state that its events add up to.
///
/// # Errors
///
/// When the first event could not be kept: nothing is started then. A sink that fails later is
/// told of by a notice, and the run goes on.
pub async fn run(plan: Plan, options: Options, sink: &mut dyn Sink) -> Result<RunState, SinkError> {
    dispatcher::Dispatcher::new(plan, options, sink).run().await
}
