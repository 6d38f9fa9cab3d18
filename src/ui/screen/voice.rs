//! Messages that are not events, and exclusive use of the screen.

use std::sync::Arc;

use crate::ui::screen::queue::Item;
use crate::ui::screen::queue::Shared;
use crate::ui::screen::queue::Showing;
use crate::ui::screen::queue::TICK;

/// Prints on the screen of a run, and borrows it. Cheap to clone.
#[derive(Clone)]
pub struct Voice(pub(super) Arc<Shared>);

impl Voice {
    /// Says a line.
    pub fn say(&self, text: &str) {
        self.0.lock().items.push_back(Item::Said(text.to_owned()));
        self.0.changed.notify_all();
    }

    /// Nobody waits any more until all has been shown.
    pub fn give_up(&self) {
        let mut queue = self.0.lock();
        if queue.showing == Showing::Goes {
            queue.showing = Showing::IsGivenUp;
        }
        drop(queue);
        self.0.changed.notify_all();
    }

    /// Keeps the view off the screen until what is returned is dropped.
    pub fn borrow_screen(&self) -> Guest {
        let mut queue = self.0.lock();
        queue.guests += 1;
        self.0.changed.notify_all();
        while !queue.hidden && queue.showing != Showing::IsOver && !queue.closed {
            queue = self.0.wait(queue, TICK);
        }
        drop(queue);
        Guest(Arc::clone(&self.0))
    }
}

/// Exclusive use of the screen.
pub struct Guest(Arc<Shared>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.lock().guests -= 1;
        self.0.changed.notify_all();
    }
}
