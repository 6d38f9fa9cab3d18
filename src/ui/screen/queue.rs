//! What is on its way to a view, and the thread that shows it.

use std::collections::VecDeque;
use std::io;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::event::Event;
use crate::event::RunState;
use crate::event::What;
use crate::ui::View;

/// How often a view may move when nothing happens.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// What a view is to show.
pub(super) enum Item {
    Event(Box<Event>),
    LeftOut(usize, Box<Event>),
    Said(String),
}

/// Whether somebody shows what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Showing {
    /// The view does.
    #[default]
    Goes,
    /// It does, and nobody waits for it any more.
    IsGivenUp,
    /// The view is gone.
    IsOver,
}

/// What is still to be shown, and who waits for what.
#[derive(Default)]
pub(super) struct Queue {
    pub items: VecDeque<Item>,
    /// Bytes of output in `items`.
    pub bytes: usize,
    /// Whether the run is over.
    pub closed: bool,
    /// Whether somebody shows what is here.
    pub showing: Showing,
    /// Why the view could not go on.
    pub failure: Option<io::Error>,
    /// How many wait for exclusive use of the screen.
    pub guests: usize,
    /// Whether the view has left it to them.
    pub hidden: bool,
}

/// A queue between two threads.
#[derive(Default)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    pub changed: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between any two statements, also if a view panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, longest: Duration) -> MutexGuard<'a, Queue> {
        self.changed.wait_timeout(queue, longest).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Shows all that comes, until it is closed and empty.
    pub(super) fn show_all(&self, mut view: Box<dyn View>) {
        let gone = Gone(self);
        let mut state = RunState::default();
        let mut alive = true;
        loop {
            let mut queue = self.lock();
            if queue.items.is_empty() && !queue.closed && queue.guests == 0 {
                queue = self.wait(queue, TICK);
            }
            if queue.guests > 0 && !queue.closed {
                drop(queue);
                alive = alive && self.kept(view.hide());
                queue = self.lock();
                queue.hidden = true;
                self.changed.notify_all();
                while queue.guests > 0 && !queue.closed {
                    queue = self.wait(queue, TICK);
                }
                queue.hidden = false;
            }
            let items = std::mem::take(&mut queue.items);
            let closed = queue.closed;
            drop(queue);
            let over = closed && items.is_empty();
            for item in items {
                let shown = match &item {
                    Item::Event(event) => {
                        // A view shows what it gets; the journal decides what is legal.
                        state.apply(event).ok();
                        if alive { view.show(event, &state) } else { Ok(()) }
                    }
                    Item::LeftOut(bytes, last) if alive => view.left_out(*bytes, last),
                    Item::Said(text) if alive => view.say(text),
                    Item::LeftOut(..) | Item::Said(_) => Ok(()),
                };
                alive &= self.kept(shown);
                if let Item::Event(event) = &item
                    && let What::StepOutput { text, .. } = &event.what
                {
                    self.lock().bytes -= text.as_str().len();
                    self.changed.notify_all();
                }
            }
            alive = alive && self.kept(view.rest());
            if over {
                drop(gone);
                return;
            }
        }
    }
}

impl Shared {
    /// Whether something could be shown; the first failure is kept.
    fn kept(&self, shown: io::Result<()>) -> bool {
        let is_shown = shown.is_ok();
        if let Err(error) = shown {
            self.lock().failure.get_or_insert(error);
        }
        is_shown
    }
}

/// Says that the view is gone, however its thread ended.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.lock().showing = Showing::IsOver;
        self.0.changed.notify_all();
    }
}
