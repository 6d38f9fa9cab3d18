//! Between the run and its view: a thread of its own, so that a terminal that does not read
//! (Ctrl-S, a slow line, a full pipe) never holds up the hosts.
//!
//! Lifecycle events always get through. Output waits for its reader for a while, then is dropped,
//! and the reader is told how much.

mod queue;
mod voice;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crate::event::Event;
use crate::event::Sink;
use crate::event::SinkError;
use crate::event::What;
use crate::ui::View;
use crate::ui::screen::queue::Item;
use crate::ui::screen::queue::Shared;
use crate::ui::screen::queue::Showing;

pub use voice::Guest;
pub use voice::Voice;

/// Bytes of output on their way to the watcher at most.
const BACKLOG: usize = 4 << 20;

/// A sink that hands events to a [`View`] on a thread of its own.
pub struct Screen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    patience: Duration,
    /// Output that was left out since the watcher stopped reading.
    left_out: Option<(usize, Box<Event>)>,
}

impl Screen {
    /// Starts the thread. `patience` is how long output waits for a reader that does not read.
    pub fn new(view: Box<dyn View>, patience: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || theirs.show_all(view));
        Self { shared, thread: Some(thread), patience, left_out: None }
    }

    /// For messages that are not events.
    pub fn voice(&self) -> Voice {
        Voice(Arc::clone(&self.shared))
    }

    /// Waits until all has been shown, `longest` at most, or somebody
    /// [gives up](Voice::give_up).
    ///
    /// # Errors
    ///
    /// When something could not be shown, or was not in time (`Interrupted`). A watcher who went away
    /// is no error.
    pub fn finish(mut self, longest: Duration) -> io::Result<()> {
        let deadline = Instant::now() + longest;
        let mut queue = self.shared.lock();
        if let Some((bytes, last)) = self.left_out.take() {
            queue.items.push_back(Item::LeftOut(bytes, last));
        }
        queue.closed = true;
        self.shared.changed.notify_all();
        while queue.showing == Showing::Goes {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            queue = self.shared.wait(queue, left);
        }
        let (showing, mut failure) = (queue.showing, queue.failure.take());
        if showing != Showing::IsOver {
            failure.get_or_insert(io::Error::new(io::ErrorKind::Interrupted, "nobody read them"));
        }
        drop(queue);
        if let Some(thread) = self.thread.take().filter(|_| showing == Showing::IsOver) {
            drop(thread.join());
        }
        match failure {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn output(&mut self, event: &Event, bytes: usize) {
        let mut queue = self.shared.lock();
        let deadline = Instant::now() + self.patience;
        while self.left_out.is_none()
            && queue.bytes > 0
            && queue.bytes + bytes > BACKLOG
            && queue.showing != Showing::IsOver
        {
            match deadline.checked_duration_since(Instant::now()) {
                Some(left) => queue = self.shared.wait(queue, left),
                None => self.left_out = Some((0, Box::new(event.clone()))),
            }
        }
        if let Some((sum, last)) = &mut self.left_out {
            if queue.bytes > 0 {
                *sum += bytes;
                **last = event.clone();
                return;
            }
            queue.items.push_back(Item::LeftOut(*sum, last.clone()));
            self.left_out = None;
        }
        queue.bytes += bytes;
        queue.items.push_back(Item::Event(Box::new(event.clone())));
        self.shared.changed.notify_all();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Sink for Screen {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        if let What::StepOutput { text, .. } = &event.what {
            self.output(event, text.as_str().len());
        } else {
            self.shared.lock().items.push_back(Item::Event(Box::new(event.clone())));
            self.shared.changed.notify_all();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::queue::TICK;
    use super::*;
    use crate::event::RunState;

    fn output(seq: u64, bytes: usize) -> Event {
        let text = "x".repeat(bytes);
        let line = format!(
            r#"{{"schema":1,"seq":{seq},"time":"2026-01-01T00:00:00Z","event":"step_output","step":"a","stream":"stdout","text":"{text}"}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn notice(seq: u64) -> Event {
        let line = format!(
            r#"{{"schema":1,"seq":{seq},"time":"2026-01-01T00:00:00Z","event":"notice","text":"n"}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    /// Shows what it is given once it is let.
    struct Stuck {
        go: mpsc::Receiver<()>,
        seen: mpsc::Sender<(bool, u64, usize)>,
    }

    impl View for Stuck {
        fn show(&mut self, event: &Event, _: &RunState) -> io::Result<()> {
            self.go.recv().ok();
            let bytes = match &event.what {
                What::StepOutput { text, .. } => text.as_str().len(),
                _ => 0,
            };
            self.seen.send((true, event.seq, bytes)).ok();
            Ok(())
        }

        fn left_out(&mut self, bytes: usize, last: &Event) -> io::Result<()> {
            self.seen.send((false, last.seq, bytes)).ok();
            Ok(())
        }
    }

    #[test]
    fn a_watcher_who_does_not_read_loses_output_and_nothing_else() {
        let (go, stuck) = mpsc::channel();
        let (seen, shown) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Stuck { go: stuck, seen }), Duration::from_millis(500));
        let piece = 64 << 10;
        let begin = Instant::now();
        for seq in 0..200 {
            screen.record(&output(seq, piece)).unwrap();
            screen.record(&notice(1000 + seq)).unwrap();
        }
        // Waiting for each of the hundred that find no room would take twice as long.
        assert!(begin.elapsed() < Duration::from_secs(30), "the run was held up");
        drop(go);
        screen.finish(Duration::from_secs(10)).unwrap();
        let shown: Vec<_> = shown.try_iter().collect();
        let notices = shown.iter().filter(|(whole, seq, _)| *whole && *seq >= 1000).count();
        assert_eq!(notices, 200, "every lifecycle event gets through");
        let bytes: usize = shown.iter().map(|(_, _, bytes)| bytes).sum();
        assert_eq!(bytes, 200 * piece, "what was left out is counted");
        assert!(shown.iter().any(|(whole, ..)| !whole));
    }

    #[test]
    fn a_watcher_who_reads_sees_all_in_order() {
        let (go, stuck) = mpsc::channel();
        drop(go);
        let (seen, shown) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Stuck { go: stuck, seen }), Duration::from_mins(1));
        for seq in 0..2000 {
            screen.record(&output(seq, 10_000)).unwrap();
        }
        screen.finish(Duration::from_mins(1)).unwrap();
        let shown: Vec<u64> = shown.try_iter().map(|(_, seq, _)| seq).collect();
        assert_eq!(shown, (0..2000).collect::<Vec<_>>());
    }

    /// Notes what is done to it.
    struct Noting(mpsc::Sender<&'static str>);

    impl View for Noting {
        fn show(&mut self, _: &Event, _: &RunState) -> io::Result<()> {
            self.0.send("show").ok();
            Ok(())
        }

        fn left_out(&mut self, _: usize, _: &Event) -> io::Result<()> {
            Ok(())
        }

        fn say(&mut self, _: &str) -> io::Result<()> {
            self.0.send("say").ok();
            Ok(())
        }

        fn hide(&mut self) -> io::Result<()> {
            self.0.send("hide").ok();
            Ok(())
        }
    }

    #[test]
    fn a_guest_has_the_screen_for_itself() {
        let (notes, heard) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Noting(notes)), Duration::from_mins(1));
        let voice = screen.voice();
        let guest = voice.borrow_screen();
        screen.record(&notice(0)).unwrap();
        voice.say("x");
        std::thread::sleep(3 * TICK);
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["hide"]);
        drop(guest);
        screen.finish(Duration::from_mins(1)).unwrap();
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["show", "say"]);
    }

    #[test]
    fn a_guest_who_stays_does_not_hold_up_the_end() {
        let (notes, heard) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Noting(notes)), Duration::from_mins(1));
        let _guest = screen.voice().borrow_screen();
        screen.record(&notice(0)).unwrap();
        screen.finish(Duration::from_mins(1)).unwrap();
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["hide", "show"]);
    }

    struct Broken;

    impl View for Broken {
        fn show(&mut self, _: &Event, _: &RunState) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn left_out(&mut self, _: usize, _: &Event) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// A disk without room.
    struct Full;

    impl View for Full {
        fn show(&mut self, _: &Event, _: &RunState) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn left_out(&mut self, _: usize, _: &Event) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_could_not_be_shown_is_an_error() {
        let mut screen = Screen::new(Box::new(Full), Duration::from_mins(1));
        screen.record(&notice(0)).unwrap();
        let error = screen.finish(Duration::from_mins(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    // case D9
    #[test]
    fn a_watcher_who_never_reads_is_given_up_on_request() {
        let (_go, stuck) = mpsc::channel();
        let (seen, _shown) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Stuck { go: stuck, seen }), Duration::from_mins(1));
        screen.record(&notice(0)).unwrap();
        screen.voice().give_up();
        let error = screen.finish(Duration::from_hours(24)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);

        let (_go, stuck) = mpsc::channel();
        let (seen, _shown) = mpsc::channel();
        let mut screen = Screen::new(Box::new(Stuck { go: stuck, seen }), Duration::from_mins(1));
        screen.record(&notice(0)).unwrap();
        let error = screen.finish(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted, "what is not shown in time is not shown");
    }

    #[test]
    fn a_watcher_who_left_is_not_waited_for() {
        let mut screen = Screen::new(Box::new(Broken), Duration::from_mins(10));
        for seq in 0..2000 {
            screen.record(&output(seq, 10_000)).unwrap();
        }
        screen.finish(Duration::from_mins(1)).unwrap();
    }
}
