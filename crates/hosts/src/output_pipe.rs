//! What carries a process's output from the task that drains it to whoever reads it: without an
//! end in length, but with one in bytes, so that a reader who lags slows the process down
//! rather than filling the memory.

use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::TryAcquireError;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Exit;
use crate::Output;
use crate::launch_gate::LaunchGate;

/// Bytes of one process that may wait for their reader.
const ROOM: usize = 64 << 20;

/// The wait for the last of a script's output when the script itself has ended, in rounds.
///
/// What it wrote comes at once. Children in the background hold its pipes for as long as they like:
/// they get the time that a `tee` at the end of the script needs, and no more.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    rounds: u32,
    quiet: u32,
}

impl Linger {
    /// How long a round takes at least.
    pub(crate) const ROUND: Duration = Duration::from_millis(100);

    /// Rounds without output until it is over.
    const QUIET: u32 = 3;

    /// Rounds until it is over, output or not.
    const MOST: u32 = 12;

    /// Output has come.
    pub(crate) fn hear(&mut self) {
        self.quiet = 0;
    }

    /// At the end of a round: whether it was the last.
    pub(crate) fn is_over(&mut self) -> bool {
        self.rounds += 1;
        self.quiet += 1;
        self.quiet >= Self::QUIET || self.rounds >= Self::MOST
    }
}

#[derive(Debug)]
struct Shared {
    gate: Mutex<LaunchGate>,
    room: Semaphore,
    stopping: watch::Sender<bool>,
    ended: AtomicBool,
    has_dropped: AtomicBool,
    waiting: AtomicUsize,
}

/// The end that the drain task holds.
#[derive(Debug, Clone)]
pub(crate) struct PipeWriter {
    sender: mpsc::UnboundedSender<Output>,
    shared: Arc<Shared>,
}

/// The end that the reader holds.
#[derive(Debug)]
pub(crate) struct PipeReader {
    receiver: mpsc::UnboundedReceiver<Output>,
    shared: Arc<Shared>,
}

/// A pair of ends. What comes before the gate opens goes nowhere.
pub(crate) fn pair(gate: LaunchGate) -> (PipeWriter, PipeReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        gate: Mutex::new(gate),
        room: Semaphore::new(ROOM),
        stopping: watch::Sender::new(false),
        ended: AtomicBool::new(false),
        has_dropped: AtomicBool::new(false),
        waiting: AtomicUsize::new(0),
    });
    (PipeWriter { sender, shared: Arc::clone(&shared) }, PipeReader { receiver, shared })
}

impl PipeWriter {
    /// Hands output on. Waits while the reader lags by more than the room there is; not, though,
    /// when the process is being stopped, for its reader may be the one who waits for that.
    pub(crate) async fn send(&self, output: Output) {
        let Some(output) = self.pass(output) else { return };
        if self.make_room(cost(&output)).await {
            let _unread = self.sender.send(output);
        } else {
            self.shared.has_dropped.store(true, Ordering::Relaxed);
        }
    }

    /// What of it the gate lets through. What it had held goes first, without waiting: it is little,
    /// and must come before what the other stream has next.
    fn pass(&self, output: Output) -> Option<Output> {
        let mut gate = self.shared.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let mut passed = gate.pass(output);
        let last = passed.pop();
        for held in passed {
            let _unread = self.sender.send(held);
        }
        last
    }

    async fn make_room(&self, bytes: u32) -> bool {
        match self.shared.room.try_acquire_many(bytes) {
            Ok(permit) => {
                permit.forget();
                return true;
            }
            Err(TryAcquireError::Closed) => return false,
            Err(TryAcquireError::NoPermits) => {}
        }
        let mut stopping = self.shared.stopping.subscribe();
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        let has_room = tokio::select! {
            permit = self.shared.room.acquire_many(bytes) => {
                permit.map(tokio::sync::SemaphorePermit::forget).is_ok()
            }
            _ = stopping.wait_for(|stopping| *stopping) => false,
            () = self.sender.closed() => false,
        };
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        has_room
    }

    /// Waits, after the end of a script, for the last of its output, while something `moved` or
    /// until nobody is left who could move anything. A slow reader is no reason to give up.
    pub(crate) async fn linger(&self, moved: &mut mpsc::Receiver<()>) {
        let mut linger = Linger::default();
        let mut round = pin!(sleep(Linger::ROUND));
        loop {
            tokio::select! {
                biased;
                heard = moved.recv() => match heard {
                    Some(()) => linger.hear(),
                    None => return,
                },
                () = &mut round => {
                    let is_full = self.shared.waiting.load(Ordering::Relaxed) > 0;
                    if !is_full && linger.is_over() {
                        return;
                    }
                    round.set(sleep(Linger::ROUND));
                }
            }
        }
    }

    /// The last output.
    pub(crate) fn end(&self, exit: Exit) {
        let Some(Output::Exit(exit)) = self.pass(Output::Exit(exit)) else { return };
        if !matches!(exit, Exit::Lost(_)) {
            self.shared.ended.store(true, Ordering::Release);
        }
        if self.shared.has_dropped.load(Ordering::Relaxed) && !self.sender.is_closed() {
            let note = b"doppio: output was dropped while the process was being stopped\n";
            let _unread = self.sender.send(Output::Stderr(note.to_vec()));
        }
        let _unread = self.sender.send(Output::Exit(exit));
    }

    /// Resolves when nobody will read any more.
    pub(crate) async fn abandoned(&self) {
        self.sender.closed().await;
    }
}

impl PipeReader {
    pub(crate) async fn next(&mut self) -> Option<Output> {
        let output = self.receiver.recv().await?;
        if !matches!(output, Output::Exit(_)) {
            self.shared.room.add_permits(cost(&output) as usize);
        }
        Some(output)
    }

    /// From now on a full writer drops output rather than wait.
    pub(crate) fn set_stopping(&self) {
        self.shared.stopping.send_replace(true);
    }

    /// Whether the process's end is known.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire)
    }
}

fn cost(output: &Output) -> u32 {
    match output {
        Output::Stdout(bytes) | Output::Stderr(bytes) => {
            u32::try_from(bytes.len().min(ROOM)).unwrap_or(u32::MAX)
        }
        Output::Exit(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exec;
    use crate::launch_gate::Wants;

    fn pair() -> (PipeWriter, PipeReader) {
        let wants = Wants::of(&Exec::new("true"), String::new());
        let mut gate = LaunchGate::new(b"mark:".to_vec(), wants);
        assert!(gate.pass(Output::Stdout(b"mark:run:\n".to_vec())).is_empty());
        super::pair(gate)
    }

    // case H6
    #[test]
    fn a_process_that_never_falls_silent_holds_nothing_up() {
        let mut linger = Linger::default();
        let rounds = std::iter::from_fn(|| {
            linger.hear();
            (!linger.is_over()).then_some(())
        });
        assert!(rounds.take(1000).count() < 20);
        let mut linger = Linger::default();
        let rounds = std::iter::from_fn(|| (!linger.is_over()).then_some(()));
        assert!(rounds.take(1000).count() < 5, "nothing comes any more");
    }

    fn chunk() -> Output {
        Output::Stdout(vec![0; ROOM / 4])
    }

    #[tokio::test]
    async fn a_full_pipe_waits_for_its_reader() {
        let (writer, mut reader) = pair();
        for _ in 0..4 {
            writer.send(chunk()).await;
        }
        let fifth = tokio::spawn(async move { writer.send(chunk()).await });
        sleep(Duration::from_millis(20)).await;
        assert!(!fifth.is_finished());
        assert!(reader.next().await.is_some());
        fifth.await.unwrap();
        for _ in 0..4 {
            assert!(reader.next().await.is_some());
        }
        assert!(reader.next().await.is_none());
    }

    #[tokio::test]
    async fn a_process_that_is_stopped_never_waits_for_its_reader() {
        let (writer, mut reader) = pair();
        reader.set_stopping();
        for _ in 0..10 {
            writer.send(chunk()).await;
        }
        writer.end(Exit::Code(0));
        drop(writer);
        let mut seen = Vec::new();
        while let Some(output) = reader.next().await {
            seen.push(output);
        }
        assert_eq!(seen.len(), 6, "four chunks, the note and the end");
        assert!(matches!(&seen[4], Output::Stderr(note) if note.starts_with(b"doppio: output was dropped")));
        assert!(reader.has_ended());
    }
}
