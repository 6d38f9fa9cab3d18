//! Events for programs: one a line, in the journal's own form, output and progress included.

use std::io;
use std::io::Write;

use crate::event::Event;
use crate::event::RunState;
use crate::ui::View;

/// Writes every event as a line of JSON.
pub struct Json<W> {
    to: W,
}

impl<W: Write + Send> Json<W> {
    /// Writes to `to`, which should be buffered.
    pub fn new(to: W) -> Self {
        Self { to }
    }
}

impl<W: Write + Send> View for Json<W> {
    fn show(&mut self, event: &Event, _: &RunState) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, event)?;
        self.to.write_all(b"\n")
    }

    /// A notice takes the number of the last event that was left out.
    fn left_out(&mut self, bytes: usize, last: &Event) -> io::Result<()> {
        let notice = serde_json::json!({
            "schema": last.schema,
            "seq": last.seq,
            "time": last.time,
            "event": "notice",
            "text": format!("{bytes} bytes of output were dropped: nobody read them"),
        });
        serde_json::to_writer(&mut self.to, &notice)?;
        self.to.write_all(b"\n")
    }

    fn rest(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
