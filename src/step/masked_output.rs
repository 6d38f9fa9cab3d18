//! What a process prints on its way to the user: through the mask, in pieces that are cheap.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use doppio_secrets::Mask;
use doppio_secrets::MaskStream;
use doppio_secrets::Masked;
use doppio_secrets::Registered;

use crate::event::End;
use crate::event::Stream;
use crate::step::Cut;
use crate::step::Ended;
use crate::step::Value;

/// Bytes that are reported at once at most: enough to make much output cheap.
const BATCH: usize = 64 << 10;

/// How long an open line (a prompt, a dot of progress) waits for more.
const OPEN_LINE: Duration = Duration::from_millis(50);

/// What of a process's output the user sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::step) enum Show {
    /// Both streams.
    Everything,
    /// Standard error.
    Errors,
    /// Neither.
    Nothing,
}

/// Both outputs of one process on their way.
pub(in crate::step) struct MaskedOutput {
    stdout: MaskedStream,
    stderr: MaskedStream,
    /// The stream that the batch belongs to.
    open: Stream,
    /// Bytes of that stream that are not reported yet.
    batch: Vec<u8>,
    /// When the batch's first byte came.
    since: Instant,
}

struct MaskedStream {
    mask: MaskStream,
    shown: bool,
    /// Bytes that have come.
    taken: u64,
    kept: Tail,
}

impl MaskedOutput {
    /// For one process; all of it passes `mask`.
    pub(in crate::step) fn new(mask: &Mask, show: Show) -> Self {
        let masked = |shown| MaskedStream { mask: mask.stream(), shown, taken: 0, kept: Tail::default() };
        Self {
            stdout: masked(show == Show::Everything),
            stderr: masked(show != Show::Nothing),
            open: Stream::Stdout,
            batch: Vec::new(),
            since: Instant::now(),
        }
    }

    fn stream_of(&mut self, stream: Stream) -> &mut MaskedStream {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Takes what came; gives back what is ripe to be reported.
    pub(in crate::step) fn take(&mut self, stream: Stream, bytes: &[u8]) -> Vec<(Stream, Masked)> {
        let masked = self.stream_of(stream);
        masked.taken += bytes.len() as u64;
        masked.kept.push(bytes);
        let mut said = if stream == self.open { Vec::new() } else { self.flush() };
        self.open = stream;
        if self.batch.is_empty() {
            self.since = Instant::now();
        }
        self.batch.extend_from_slice(bytes);
        if self.batch.len() >= BATCH {
            said.extend(self.flush());
        }
        said
    }

    /// Waits until the batch is to be reported even if nothing else comes.
    pub(in crate::step) async fn ripe(&self) {
        match self.batch.last() {
            None => std::future::pending().await,
            Some(b'\n') => {}
            Some(_) => tokio::time::sleep_until(self.since + OPEN_LINE).await,
        }
    }

    /// Bytes of standard output that have come.
    pub(in crate::step) fn taken(&self) -> u64 {
        self.stdout.taken
    }

    /// Gives back what has come and is not reported yet.
    pub(in crate::step) fn flush(&mut self) -> Vec<(Stream, Masked)> {
        if self.batch.is_empty() {
            return Vec::new();
        }
        let bytes = std::mem::take(&mut self.batch);
        let stream = self.open;
        // Hidden output passes the mask too: that is how its value is known to be secret.
        let masked = self.stream_of(stream);
        let text = masked.mask.push(&bytes);
        if masked.shown { vec![(stream, text)] } else { Vec::new() }
    }

    /// Gives back all that is left, when no more comes.
    pub(in crate::step) fn finish(&mut self) -> Vec<(Stream, Masked)> {
        let mut said = self.flush();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let masked = self.stream_of(stream);
            let text = masked.mask.finish();
            if masked.shown {
                said.push((stream, text));
            }
        }
        said
    }

    /// How often each secret was masked in what was shown, stream by stream.
    pub(in crate::step) fn hits(&self) -> Vec<(String, u64)> {
        let shown = [&self.stdout, &self.stderr].into_iter().filter(|masked| masked.shown);
        shown.flat_map(|masked| masked.mask.hits()).collect()
    }

    /// The process that printed it and ended like this.
    pub(in crate::step) fn ended(self, mask: &Mask, end: End) -> Ended {
        let cut = Cut { stdout: self.stdout.kept.is_cut, stderr: self.stderr.kept.is_cut };
        Ended { end, stdout: self.stdout.value(mask), stderr: self.stderr.value(mask), cut }
    }
}

impl MaskedStream {
    /// What was kept; secret if the mask found something in it, or in what came before it.
    fn value(self, mask: &Mask) -> Value {
        match Registered::of_output(mask, &self.mask, self.kept.into_bytes()) {
            Ok(secret) => Value::Secret(secret),
            Err(bytes) => Value::Plain(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }
}

/// The last [`Ended::KEPT`] bytes of a stream.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    /// Whether there were more.
    is_cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let beyond = self.bytes.len().saturating_sub(Ended::KEPT);
        self.bytes.drain(..beyond);
        self.is_cut |= beyond > 0;
    }

    /// The bytes, without the last newline.
    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::from(self.bytes);
        bytes.pop_if(|last| *last == b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_what_was_pushed() {
        let mut tail = Tail::default();
        let numbers = u32::try_from(Ended::KEPT / 4).unwrap();
        for n in 0..numbers {
            tail.push(&n.to_be_bytes());
        }
        assert!(!tail.is_cut);
        tail.push(b"\n");
        assert!(tail.is_cut);
        let bytes = tail.into_bytes();
        assert_eq!(bytes.len(), Ended::KEPT - 1);
        assert_eq!(bytes[bytes.len() - 4..], (numbers - 1).to_be_bytes());
        assert_eq!(bytes[bytes.len() - 8..bytes.len() - 4], (numbers - 2).to_be_bytes());
    }

    #[test]
    fn only_one_newline_is_cut() {
        let mut tail = Tail::default();
        tail.push(b"a\n\n");
        assert_eq!(tail.into_bytes(), b"a\n");
    }
}
