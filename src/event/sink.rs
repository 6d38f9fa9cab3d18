//! Who is told.

use crate::event::Event;

/// Why a sink could not take an event.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// What failed, with the path.
    pub message: String,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Takes every event of a run, in order. Plain calls on purpose: they give backpressure.
///
/// Making an event durable is a call of its own, so that events that belong together (a step's
/// end, and the starts that follow from it) cost one wait for the disk and not one each. The
/// dispatcher settles before anything that was recorded takes effect.
pub trait Sink: Send {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// When the event could not be kept. A sink says so once, and takes further events in vain.
    fn record(&mut self, event: &Event) -> Result<(), SinkError>;

    /// What was recorded so far is kept, come what may, when this returns.
    ///
    /// # Errors
    ///
    /// When it could not be kept; as with [`Sink::record`].
    fn settle(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Several sinks as one, told in order: the journal stands first. One that fails does not keep
/// the others from being told.
pub struct Fanout<'a>(pub Vec<&'a mut dyn Sink>);

impl Sink for Fanout<'_> {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        self.each(|sink| sink.record(event))
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        self.each(|sink| sink.settle())
    }
}

impl Fanout<'_> {
    /// Calls every sink; the first error is kept.
    fn each(
        &mut self,
        mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut so_far = Ok(());
        for sink in &mut self.0 {
            so_far = so_far.and(call(*sink));
        }
        so_far
    }
}
