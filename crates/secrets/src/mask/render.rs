//! Writes a stream with its matches replaced.

use std::collections::BTreeMap;

use doppio_text::escape::Class;
use doppio_text::escape::Parser;

/// A match, by its offset in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// The first byte to hide.
    pub(super) start: u64,
    /// After the last byte to hide.
    pub(super) end: u64,
    /// Bytes of the secret's form, hidden or not.
    pub(super) len: usize,
    /// Whose it is.
    pub(super) secret: u32,
    /// Escape sequences and line ends inside it stay.
    pub(super) keeps_control: bool,
}

/// Control sequences kept of one replacement before it is written out. In bytes.
const MOST_KEPT: usize = 8 * 1024;

/// Overlapping and adjacent hits, which have one replacement.
struct Interval {
    /// The longest hit.
    len: usize,
    secret: u32,
    /// Where the hit that reaches farthest ends.
    end: u64,
    /// All before is dropped.
    dropped: u64,
    /// All before but control sequences is dropped.
    veiled: u64,
    parser: Parser,
    kept: Vec<u8>,
    written: bool,
    /// Who was hit, leaving out hits within others.
    secrets: Vec<u32>,
}

/// The state between two pieces of a stream.
#[derive(Default)]
pub(super) struct Renderer {
    hits: Vec<Hit>,
    /// How far the stream is written.
    place: u64,
    interval: Option<Interval>,
    counts: BTreeMap<u32, u64>,
}

impl Renderer {
    /// Where the next byte to be written stands.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// How often each secret was replaced.
    pub(super) fn counts(&self) -> &BTreeMap<u32, u64> {
        &self.counts
    }

    pub(super) fn add(&mut self, hit: Hit) {
        // In a run of one byte a hit may begin at every place.
        if let Some(last) = self.hits.last_mut()
            && (last.secret, last.keeps_control) == (hit.secret, hit.keeps_control)
            && (last.start..last.end).contains(&hit.start)
        {
            last.end = last.end.max(hit.end);
            last.len = last.len.max(hit.len);
            return;
        }
        self.hits.push(hit);
    }

    /// Forgets the hits that are not written yet.
    pub(super) fn forget(&mut self) {
        self.hits.clear();
    }

    /// Writes the stream up to the byte before `until`; `bytes` begins at [`Renderer::place`].
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        until: u64,
        replacement: &impl Fn(u32) -> String,
        out: &mut Vec<u8>,
    ) {
        self.hits.sort_by_key(|hit| hit.start);
        let start = self.place;
        let byte_at = |place: u64| usize::try_from(place - start).expect("it is in memory");
        let mut next = 0;
        while self.place < until {
            while let Some(&hit) = self.hits.get(next).filter(|hit| hit.start <= self.place) {
                self.enter(hit);
                next += 1;
            }
            let next_hit = self.hits.get(next).map_or(until, |hit| hit.start.min(until));
            if let Some(interval) = self.interval.as_mut().filter(|interval| interval.covers(self.place)) {
                let stop = interval.hidden_to().min(next_hit);
                interval.hide(&bytes[byte_at(self.place)..byte_at(stop)], self.place, replacement, out);
                self.place = stop;
                continue;
            }
            self.close(replacement, out);
            out.extend_from_slice(&bytes[byte_at(self.place)..byte_at(next_hit)]);
            self.place = next_hit;
        }
        self.hits.drain(..next);
    }

    fn enter(&mut self, hit: Hit) {
        if hit.end <= self.place {
            return;
        }
        let interval = self.interval.get_or_insert_with(|| Interval {
            len: 0,
            secret: hit.secret,
            end: 0,
            dropped: 0,
            veiled: 0,
            parser: Parser::default(),
            kept: Vec::new(),
            written: false,
            secrets: Vec::new(),
        });
        if hit.len > interval.len {
            interval.len = hit.len;
            interval.secret = hit.secret;
        }
        if hit.end > interval.end {
            // Hits of one secret that overlap are counted as one.
            if hit.start >= interval.end || !interval.secrets.contains(&hit.secret) {
                interval.secrets.push(hit.secret);
            }
            interval.end = hit.end;
        }
        if hit.keeps_control {
            if interval.veiled <= self.place {
                interval.parser = Parser::default();
            }
            interval.veiled = interval.veiled.max(hit.end);
        } else {
            interval.dropped = interval.dropped.max(hit.end);
        }
    }

    /// Ends the open interval, if there is one.
    pub(super) fn close(&mut self, replacement: &impl Fn(u32) -> String, out: &mut Vec<u8>) {
        if let Some(mut interval) = self.interval.take() {
            interval.flush(replacement, out);
            for secret in interval.secrets {
                *self.counts.entry(secret).or_default() += 1;
            }
        }
    }
}

impl Interval {
    fn hidden_to(&self) -> u64 {
        self.dropped.max(self.veiled)
    }

    fn covers(&self, place: u64) -> bool {
        place < self.hidden_to()
    }

    /// Hides bytes that begin at `start`; of those that are only veiled control sequences stay.
    fn hide(&mut self, bytes: &[u8], start: u64, replacement: &impl Fn(u32) -> String, out: &mut Vec<u8>) {
        for (&byte, place) in bytes.iter().zip(start..self.veiled.max(start)) {
            let (kept, dropped) = (&mut self.kept, self.dropped);
            self.parser.step(byte, |class, bytes| {
                if place >= dropped && (class == Class::Control || matches!(bytes, b"\r" | b"\n")) {
                    kept.extend_from_slice(bytes);
                }
            });
            if self.kept.len() > MOST_KEPT {
                self.flush(replacement, out);
            }
        }
    }

    fn flush(&mut self, replacement: &impl Fn(u32) -> String, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.written, true) {
            out.extend_from_slice(replacement(self.secret).as_bytes());
        }
        out.append(&mut self.kept);
    }
}
