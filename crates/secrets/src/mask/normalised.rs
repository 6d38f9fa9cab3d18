//! The second view of a stream: its text without escape sequences, white space, line ends,
//! overstrikes, invisible characters and what escapes one by one, and where each byte of it stood.

mod escaped;
mod waiting;
mod whole;

use doppio_text::escape::Class;
use doppio_text::escape::Parser;
use doppio_text::escape::last_character;

use crate::mask::escapes;
use crate::mask::normalised::waiting::Waiting;

/// Bytes looked at together.
const CHUNK: usize = 64;

/// Whether `byte`, which is not special, is text; else it is a break.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that it is fast")]
fn is_text(byte: u8) -> bool {
    (byte > 0x20) & (byte != 0x7f)
}

/// A byte before which something stood that is not text.
#[derive(Clone, Copy)]
struct Gap {
    place: u64,
    /// Bytes of the stream before `place` that are not seen.
    unseen: u64,
    /// There was a break, not only what is not seen.
    broken: bool,
}

/// The text of a stream, grown at its end and cut at its start.
#[derive(Default)]
pub(super) struct Normalised {
    text: Vec<u8>,
    /// Where each byte stood in the stream.
    places: Vec<u64>,
    /// The bytes of the text before which something is not seen.
    gaps: Vec<Gap>,
    /// The places of the bytes that were escaped, and where their escapes end.
    escaped: Vec<(u64, u64)>,
    /// How much of the stream was looked at; some bytes more may wait in the parser.
    taken: u64,
    /// How much of that is not seen, and how much of it stood before all that is not forgotten.
    unseen: u64,
    forgotten: u64,
    parser: Parser,
    /// The start of an escape.
    escape: [u8; escapes::LONGEST],
    waiting: [Waiting; escapes::LONGEST],
    waits: usize,
    /// There was a break since the last byte.
    broken: bool,
    /// There was something that is not seen since the last byte.
    skipped: bool,
    /// The last of the stream was text, and could be struck over.
    open: bool,
}

impl Normalised {
    /// Takes what comes next in the stream.
    pub(super) fn feed(&mut self, stream: &[u8]) {
        let mut rest = stream;
        while let Some((&first, after)) = rest.split_first() {
            if self.parser.is_at_rest() && !self.skipped && self.waits == 0 {
                let plain = Parser::plain_prefix(rest, escapes::begins_with, escapes::is_text);
                if plain > 0 {
                    self.feed_plain(&rest[..plain]);
                    rest = &rest[plain..];
                    continue;
                }
            }
            if self.parser.is_at_rest() && !Parser::is_special(first) {
                let class = if is_text(first) { Class::Text } else { Class::Break };
                self.take(class, &[first]);
            } else {
                let mut parser = self.parser;
                parser.step(first, |class, bytes| self.take(class, bytes));
                self.parser = parser;
            }
            rest = after;
        }
    }

    /// Takes bytes that are text or breaks, without a branch for each.
    fn feed_plain(&mut self, plain: &[u8]) {
        for chunk in plain.chunks(CHUNK) {
            let start = self.text.len();
            self.text.resize(start + CHUNK, 0);
            self.places.resize(start + CHUNK, 0);
            let text = self.text.last_chunk_mut::<CHUNK>().expect("there is room for a chunk");
            let places = self.places.last_chunk_mut::<CHUNK>().expect("there is room for a chunk");
            let mut len = 0;
            for (&byte, place) in chunk.iter().zip(self.taken..) {
                text[len % CHUNK] = byte;
                places[len % CHUNK] = place;
                len += usize::from(is_text(byte));
            }
            self.text.truncate(start + len);
            self.places.truncate(start + len);
            self.taken += chunk.len() as u64;
        }
        self.open = plain.last().is_some_and(|&byte| is_text(byte));
        self.broken = !self.open;
    }

    fn take(&mut self, class: Class, bytes: &[u8]) {
        match class {
            Class::Text => bytes.iter().zip(self.taken..).for_each(|(&byte, place)| self.push(byte, place)),
            Class::Break => self.interrupt(),
            Class::Control | Class::Invisible => self.skip(bytes.len()),
            Class::Back => {
                if self.open && self.waits > 0 {
                    self.waits -= 1;
                } else if self.open {
                    let left = self.text.len() - last_character(&self.text);
                    self.text.truncate(left);
                    self.places.truncate(left);
                }
                self.skip(bytes.len());
                self.broken = true;
            }
        }
        self.taken += bytes.len() as u64;
    }

    fn interrupt(&mut self) {
        self.broken = true;
        self.open = false;
    }

    fn skip(&mut self, len: usize) {
        self.unseen += len as u64;
        self.skipped = true;
        self.open = false;
    }

    fn push(&mut self, byte: u8, place: u64) {
        let new = Waiting { place, unseen: self.unseen, broken: self.broken, skipped: self.skipped };
        self.broken = false;
        self.skipped = false;
        self.open = true;
        if self.waits == 0 && !escapes::begins_with(byte) {
            self.emit(&[byte], new);
            return;
        }
        self.escape[self.waits] = byte;
        self.waiting[self.waits] = new;
        self.waits += 1;
        self.read_escape(false);
    }

    /// Puts bytes of text at the end that stood at one place.
    fn emit(&mut self, bytes: &[u8], from: Waiting) {
        if from.skipped {
            self.gaps.push(Gap { place: from.place, unseen: from.unseen, broken: from.broken });
        }
        self.text.extend_from_slice(bytes);
        self.places.extend(bytes.iter().map(|_| from.place));
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) {
        let mut parser = std::mem::take(&mut self.parser);
        parser.finish(|class, bytes| self.take(class, bytes));
        self.read_escape(true);
        self.interrupt();
    }

    /// The text as far as it can't be struck over any more.
    pub(super) fn settled(&self) -> &[u8] {
        &self.text[..self.settled_len()]
    }

    fn settled_len(&self) -> usize {
        // What waits has come between the last character and a backspace.
        let is_last = self.parser.pending() == 0 && self.waits == 0;
        let open = if self.open && is_last { last_character(&self.text) } else { 0 };
        self.text.len() - open
    }

    /// How many bytes there are that are not forgotten.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// What follows the settled text: a character that could be struck over.
    pub(super) fn unsettled(&self) -> &[u8] {
        &self.text[self.settled_len()..]
    }

    /// Where the byte at `index` stood.
    pub(super) fn place(&self, index: usize) -> u64 {
        self.places[index]
    }

    /// Where the byte at `index`, or its escape, ended.
    pub(super) fn end_of(&self, index: usize) -> u64 {
        let place = self.places[index];
        let escape = self.escaped.binary_search_by_key(&place, |&(place, _)| place);
        escape.map_or(place + 1, |at| self.escaped[at].1)
    }

    /// How far it is from the byte at `index` to the one `len` later, or, if that is still to come,
    /// how far at the least: in bytes of the stream that are seen.
    pub(super) fn distance(&self, index: usize, len: usize) -> u64 {
        let from = self.places[index];
        let (to, unseen) = match self.places.get(index + len) {
            Some(&place) => (place, self.unseen_before(place)),
            None => (self.taken, self.unseen),
        };
        (to - from).saturating_sub(unseen - self.unseen_before(from))
    }

    /// How much before the text's byte at `place` is not seen.
    fn unseen_before(&self, place: u64) -> u64 {
        let gaps = self.gaps.partition_point(|gap| gap.place <= place);
        gaps.checked_sub(1).map_or(self.forgotten, |last| self.gaps[last].unseen)
    }

    /// How much of the stream was seen whose text begins nothing that is hidden, if none of the
    /// settled text does.
    pub(super) fn seen(&self, few: usize) -> u64 {
        let waiting = &self.waiting[..self.waits];
        let start = waiting.iter().rposition(|waiting| waiting.broken).unwrap_or(0);
        match waiting.get(start) {
            Some(first) if !self.broken || self.waits - start > few => first.place,
            _ => self.taken,
        }
    }

    /// Where the hiding of a match that begins at `index` begins: at its start, or after the last
    /// break before which there were fewer than `few` bytes of it.
    ///
    /// A line that happens to end as a secret begins would otherwise be held until more comes.
    pub(super) fn hidden_from(&self, index: usize, len: usize, few: usize) -> u64 {
        let end = (index + len.min(few)).min(self.places.len());
        let broken = |&at: &usize| {
            let (place, before) = (self.places[at], self.places[at - 1]);
            place != before && place != before + 1 && self.gap_at(place).is_none_or(|gap| gap.broken)
        };
        match (index + 1..end).rev().find(broken) {
            _ if self.broken && index + few.min(len) > self.text.len() + self.waits => self.taken,
            Some(at) => self.place(at),
            None => self.place(index),
        }
    }

    fn gap_at(&self, place: u64) -> Option<Gap> {
        self.gaps.binary_search_by_key(&place, |gap| gap.place).ok().map(|at| self.gaps[at])
    }

    /// The first byte that stood at `place` or later.
    pub(super) fn index_of(&self, place: u64) -> usize {
        self.places.partition_point(|&other| other < place)
    }

    /// Forgets the first `count` bytes.
    pub(super) fn forget(&mut self, count: usize) {
        self.text.drain(..count);
        self.places.drain(..count);
        let first = self.places.first().copied().unwrap_or(self.taken);
        let first = self.waiting[..self.waits].first().map_or(first, |waiting| waiting.place.min(first));
        let gone = self.gaps.partition_point(|gap| gap.place < first);
        self.forgotten = gone.checked_sub(1).map_or(self.forgotten, |last| self.gaps[last].unseen);
        self.gaps.drain(..gone);
        let gone = self.escaped.partition_point(|&(place, _)| place < first);
        self.escaped.drain(..gone);
    }
}

impl Drop for Normalised {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.text);
        zeroize::Zeroize::zeroize(&mut self.escape);
    }
}
