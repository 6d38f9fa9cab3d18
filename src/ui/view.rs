//! What shows a run, whatever it looks like.

use std::io;

use crate::event::Event;
use crate::event::RunState;

/// Shows a run. Called on one thread, in the order of the events.
pub trait View: Send {
    /// An event, and the state after it.
    ///
    /// # Errors
    ///
    /// When nothing can be shown any more.
    fn show(&mut self, event: &Event, state: &RunState) -> io::Result<()>;

    /// Output was left out: bytes, and the last event of it.
    ///
    /// # Errors
    ///
    /// As [`View::show`].
    fn left_out(&mut self, bytes: usize, last: &Event) -> io::Result<()>;

    /// A line that is not an event: what Doppio says while it logs in.
    ///
    /// # Errors
    ///
    /// As [`View::show`].
    fn say(&mut self, text: &str) -> io::Result<()> {
        let _: &str = text;
        Ok(())
    }

    /// Removes what moves from the screen: another writer is about to use it.
    ///
    /// # Errors
    ///
    /// As [`View::show`].
    fn hide(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// All that is there has been shown, or some time has passed.
    ///
    /// # Errors
    ///
    /// As [`View::show`].
    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }
}
