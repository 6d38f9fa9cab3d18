//! Who is told.

use crate::event::Event;

/// Why a sink could not take an event. Only the journal's failure stops a run.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// What failed, with the path.
    pub message: String,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Takes every event of a run, in order. A plain call on purpose: it gives backpressure, and a
/// lifecycle event has taken effect on disk when it returns.
pub trait Sink: Send {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// When the event could not be kept.
    fn record(&mut self, event: &Event) -> Result<(), SinkError>;
}

/// Several sinks as one, told in order: the journal stands first.
pub struct Fanout(pub Vec<Box<dyn Sink>>);

impl Sink for Fanout {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        self.0.iter_mut().try_for_each(|sink| sink.record(event))
    }
}
