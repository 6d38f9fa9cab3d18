//! What happened: the events of a run, and the state they add up to.
//!
//! The dispatcher is their only author. Journal, progress tree, JSON output and `runs show` fold
//! the same events with one [`RunState::apply`].

mod occurrence;
mod rented_machine;
mod sink;
mod state;
mod step_status;
#[cfg(test)]
mod tests;

pub use occurrence::End;
pub use occurrence::Event;
pub use occurrence::RunStatus;
pub use occurrence::SCHEMA;
pub use occurrence::StepOutline;
pub use occurrence::StepProcess;
pub use occurrence::Stream;
pub use occurrence::What;
pub use rented_machine::RentedMachine;
pub use sink::Fanout;
pub use sink::Sink;
pub use sink::SinkError;
pub use state::IllegalEvent;
pub use state::RunState;
pub use state::StepState;
pub use step_status::StepStatus;
