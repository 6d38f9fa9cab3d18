//! Output whose reader may go away, as `head` does: the command is then stopped.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use crate::engine::Cancel;
use crate::event::Event;
use crate::event::RunState;
use crate::ui::View;

/// A view, and what happens when nobody reads it any more.
pub(super) struct Watched {
    view: Box<dyn View>,
    cancel: watch::Sender<Cancel>,
    is_unread: Arc<AtomicBool>,
}

impl Watched {
    /// `is_unread` is set, and the run is asked to stop, when the reader is gone.
    pub(super) fn new(
        view: Box<dyn View>,
        cancel: watch::Sender<Cancel>,
        is_unread: Arc<AtomicBool>,
    ) -> Self {
        Self { view, cancel, is_unread }
    }

    fn notice(&self, shown: io::Result<()>) -> io::Result<()> {
        if shown.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.is_unread.store(true, Ordering::Relaxed);
            self.cancel.send_if_modified(|wish| {
                let is_first = *wish == Cancel::No;
                if is_first {
                    *wish = Cancel::Ask("nobody reads the output any more");
                }
                is_first
            });
        }
        shown
    }
}

impl View for Watched {
    fn show(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        let shown = self.view.show(event, state);
        self.notice(shown)
    }

    fn left_out(&mut self, bytes: usize, last: &Event) -> io::Result<()> {
        let shown = self.view.left_out(bytes, last);
        self.notice(shown)
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.view.say(text)
    }

    fn rest(&mut self) -> io::Result<()> {
        let shown = self.view.rest();
        self.notice(shown)
    }
}
