//! The second view of a stream: its text without escape sequences, white space, line ends,
//! overstrikes and zero-width characters, and where each byte of it stood.

use crate::mask::encode::Form;
use crate::mask::encode::form;
use crate::mask::escape::Class;
use crate::mask::escape::Parser;

/// Bytes looked at together.
const CHUNK: usize = 64;

/// Whether `byte`, which is not special, is text; else it is a break.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that it is fast")]
fn is_text(byte: u8) -> bool {
    (byte > 0x20) & (byte != 0x7f)
}

/// Whether `byte` takes a closer look: escape sequences, backspace, characters without width.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that many are done at once")]
fn is_special(byte: u8) -> bool {
    (byte == 0x1b) | (byte == 0x08) | (byte == 0xc2) | (byte == 0xe2) | (byte == 0xef)
}

/// Characters without width: soft hyphen, zero-width space, non-joiner, joiner, marks of
/// direction, word joiner, byte order mark.
const WIDTHLESS: [&[u8]; 8] = [
    "\u{ad}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{200c}".as_bytes(),
    "\u{200d}".as_bytes(),
    "\u{200e}".as_bytes(),
    "\u{200f}".as_bytes(),
    "\u{2060}".as_bytes(),
    "\u{feff}".as_bytes(),
];

/// The text of a stream, grown at its end and cut at its start.
#[derive(Default)]
pub(super) struct Normalised {
    text: Vec<u8>,
    /// Where each byte stood in the stream.
    places: Vec<u64>,
    /// Of the bytes that do not follow the one before at once, the places of those between which
    /// there is no break, only an escape sequence or a character without width.
    unbroken: Vec<u64>,
    /// How much of the stream was seen.
    seen: u64,
    parser: Parser,
    /// There was a break since the last byte.
    broken: bool,
    /// There was something without width since the last byte.
    skipped: bool,
    /// The start of what may be a character without width.
    partial: Vec<u8>,
    /// The last byte of the stream was text, and could be struck over.
    open: bool,
}

impl Normalised {
    /// The text of a whole.
    pub(super) fn of(whole: &[u8]) -> Form {
        let mut normalised = Self::default();
        normalised.feed(whole);
        normalised.finish();
        let copy = form(normalised.text.len(), |out| out.extend_from_slice(&normalised.text));
        zeroize::Zeroize::zeroize(&mut normalised.text);
        copy
    }

    /// Takes what comes next in the stream.
    pub(super) fn feed(&mut self, stream: &[u8]) {
        for chunk in stream.chunks(CHUNK) {
            // Without an early exit, so that it is done for many bytes at once.
            let special = chunk.iter().fold(false, |seen, &byte| seen | is_special(byte));
            if !special && !self.skipped && self.parser.at_ground() && self.partial.is_empty() {
                self.feed_plain(chunk);
            } else {
                for &byte in chunk {
                    self.step(byte);
                }
            }
        }
    }

    /// Takes bytes that are text or breaks, without a branch for each.
    fn feed_plain(&mut self, chunk: &[u8]) {
        let start = self.text.len();
        self.text.resize(start + CHUNK, 0);
        self.places.resize(start + CHUNK, 0);
        let text = self.text.last_chunk_mut::<CHUNK>().expect("there is room for a chunk");
        let places = self.places.last_chunk_mut::<CHUNK>().expect("there is room for a chunk");
        let mut len = 0;
        for (&byte, place) in chunk.iter().zip(self.seen..) {
            text[len % CHUNK] = byte;
            places[len % CHUNK] = place;
            len += usize::from(is_text(byte));
        }
        self.text.truncate(start + len);
        self.places.truncate(start + len);
        self.seen += chunk.len() as u64;
        self.open = chunk.last().is_some_and(|&byte| is_text(byte));
        self.broken = !self.open;
    }

    fn step(&mut self, byte: u8) {
        let place = self.seen;
        self.seen += 1;
        if !self.partial.is_empty() && self.continues(byte) {
            return;
        }
        match self.parser.step(byte) {
            Class::Text if is_special(byte) => {
                self.partial.push(byte);
                self.open = false;
            }
            Class::Text => self.push(byte, place),
            Class::Break => self.interrupt(),
            Class::Escape => self.skip(),
            Class::Back => {
                if self.open {
                    self.text.pop();
                    self.places.pop();
                }
                self.interrupt();
            }
        }
    }

    fn interrupt(&mut self) {
        self.broken = true;
        self.open = false;
    }

    fn skip(&mut self) {
        self.skipped = true;
        self.open = false;
    }

    fn push(&mut self, byte: u8, place: u64) {
        if self.skipped && !self.broken {
            self.unbroken.push(place);
        }
        self.text.push(byte);
        self.places.push(place);
        self.broken = false;
        self.skipped = false;
        self.open = true;
    }

    /// Goes on with a character that may have no width; false if `byte` is not part of it.
    fn continues(&mut self, byte: u8) -> bool {
        self.partial.push(byte);
        if WIDTHLESS.contains(&self.partial.as_slice()) {
            self.partial.clear();
            self.skip();
            return true;
        }
        if WIDTHLESS.iter().any(|char| char.starts_with(&self.partial)) {
            return true;
        }
        self.partial.pop();
        self.settle(1);
        false
    }

    /// What looked like the start of a character without width is text; `after` bytes of the
    /// stream were seen after it.
    fn settle(&mut self, after: u64) {
        let place = self.seen - after - self.partial.len() as u64;
        for (byte, place) in std::mem::take(&mut self.partial).into_iter().zip(place..) {
            self.push(byte, place);
        }
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) {
        self.settle(0);
        self.interrupt();
        self.parser = Parser::default();
    }

    /// The text as far as it can't be struck over any more.
    pub(super) fn settled(&self) -> &[u8] {
        &self.text[..self.text.len() - usize::from(self.open)]
    }

    /// Where the byte at `index` stood.
    pub(super) fn place(&self, index: usize) -> u64 {
        self.places[index]
    }

    /// Where the byte at `index` stood, or, if it is still to come, will stand at the earliest.
    pub(super) fn place_or_next(&self, index: usize) -> u64 {
        let next = self.seen - self.partial.len() as u64;
        self.places.get(index).copied().unwrap_or(next)
    }

    /// How much of the stream was seen.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Where the hiding of a match that begins at `index` begins: at its start, or after the last
    /// break before which there were fewer than `few` bytes of it.
    ///
    /// A line that happens to end as a secret begins would otherwise be held until more comes.
    pub(super) fn hidden_from(&self, index: usize, len: usize, few: usize) -> u64 {
        let end = (index + len.min(few)).min(self.places.len());
        let broken = |&at: &usize| {
            let place = self.places[at];
            place != self.places[at - 1] + 1 && !self.unbroken.contains(&place)
        };
        match (index + 1..end).rev().find(broken) {
            _ if self.broken && index + few.min(len) > self.text.len() => self.seen,
            Some(at) => self.place(at),
            None => self.place(index),
        }
    }

    /// The first byte that stood at `place` or later.
    pub(super) fn index_of(&self, place: u64) -> usize {
        self.places.partition_point(|&other| other < place)
    }

    /// Forgets the first `count` bytes.
    pub(super) fn forget(&mut self, count: usize) {
        self.text.drain(..count);
        self.places.drain(..count);
        let first = self.places.first().copied().unwrap_or(self.seen);
        let gone = self.unbroken.partition_point(|&place| place < first);
        self.unbroken.drain(..gone);
    }
}

impl Drop for Normalised {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.text);
    }
}
