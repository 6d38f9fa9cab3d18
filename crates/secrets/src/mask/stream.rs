//! One output of one process on its way through the mask.
//!
//! Three views look at the stream: for values anywhere, for short values as words, and, in the
//! text without control sequences and white space, for values that were broken up. A byte leaves
//! when no view can still come to hide it, which depends on the bytes alone and never on how they
//! were cut into pieces, nor on time.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::mask::Shared;
use crate::mask::known::Known;
use crate::mask::known::SPREAD;
use crate::mask::masked::Masked;
use crate::mask::masked::Utf8;
use crate::mask::normalised::Normalised;
use crate::mask::render::Hit;
use crate::mask::render::Renderer;
use crate::mask::table::Text;
use crate::mask::view::look;

/// What is looked at together, small enough to stay in the cache. In bytes.
const PIECE: usize = 16 * 1024;

/// Where a text was broken by white space, fewer bytes than this of a secret before the break are
/// neither held nor hidden.
const FEW: usize = 4;

/// What stands for the output when the mask could not be built.
const WITHHELD: &str = "[output withheld: a secret could not be added to the mask]\n";

/// One output of one process on its way through the mask.
pub struct MaskStream {
    shared: Arc<Shared>,
    known: Arc<Known>,
    /// What is not written yet, after so many bytes that are, and what stood before it.
    held: Zeroizing<Vec<u8>>,
    written: usize,
    before: Option<u8>,
    /// How far each view is: two into what is not written, one into the normalised text.
    long: usize,
    word: usize,
    across: usize,
    normalised: Normalised,
    renderer: Renderer,
    utf8: Utf8,
    withheld: bool,
}

impl MaskStream {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let known = shared.known();
        Self {
            shared,
            known,
            held: Zeroizing::default(),
            written: 0,
            before: None,
            long: 0,
            word: 0,
            across: 0,
            normalised: Normalised::default(),
            renderer: Renderer::default(),
            utf8: Utf8::default(),
            withheld: false,
        }
    }

    /// Takes bytes as they come; gives back all that can no longer be part of a secret.
    /// Invalid UTF-8 becomes U+FFFD; a character split between two calls stays whole.
    pub fn push(&mut self, bytes: &[u8]) -> Masked {
        let bytes = self.push_bytes(bytes);
        self.utf8.push(bytes)
    }

    /// The rest, at the end of the output. The stream is as new afterwards, but for its counts.
    pub fn finish(&mut self) -> Masked {
        let bytes = self.finish_bytes();
        self.utf8.finish(bytes)
    }

    /// As [`MaskStream::push`], for a reader that wants the bytes as they are, valid UTF-8 or not.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.held().min(bytes.len()));
        self.refresh();
        for piece in bytes.chunks(PIECE) {
            if self.shared.is_closed() {
                self.withhold(&mut out);
                return out;
            }
            self.held.extend_from_slice(piece);
            self.normalised.feed(piece);
            self.advance(false, &mut out);
        }
        out
    }

    /// As [`MaskStream::finish`], for a reader of bytes.
    pub fn finish_bytes(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held());
        self.refresh();
        if self.shared.is_closed() {
            self.withhold(&mut out);
            return out;
        }
        self.normalised.finish();
        self.advance(true, &mut out);
        let known = &self.known;
        self.renderer.close(&|secret| known.replacement(secret), &mut out);
        self.before = None;
        out
    }

    /// How often each secret was masked in this stream, by name.
    pub fn hits(&self) -> Vec<(String, u64)> {
        let counts = self.renderer.counts().iter();
        counts.map(|(&secret, &count)| (self.known.name(secret).to_owned(), count)).collect()
    }

    /// How many bytes wait for what comes next.
    pub fn held(&self) -> usize {
        self.held.len() - self.written
    }

    /// Takes up what was registered since, and judges anew what is held.
    fn refresh(&mut self) {
        if self.shared.version() == self.known.version() {
            return;
        }
        self.known = self.shared.known();
        self.renderer.forget();
        self.long = 0;
        self.word = 0;
        self.across = self.normalised.index_of(self.renderer.place());
    }

    fn advance(&mut self, end: bool, out: &mut Vec<u8>) {
        let start = self.renderer.place();
        // A byte that waits for its escape takes over the break that let go of what stood before it.
        let decided = self.look_plain(start, end).min(self.look_across(end)).max(start);
        let known = &self.known;
        self.renderer.write(&self.held[self.written..], decided, &|secret| known.replacement(secret), out);
        let gone = usize::try_from(decided - start).expect("it is in memory");
        if gone > 0 {
            self.written += gone;
            self.before = Some(self.held[self.written - 1]);
            self.long -= gone;
            self.word -= gone;
            // What is left is moved, which must not be most of it each time.
            if 2 * self.written >= self.held.len() {
                self.held.drain(..self.written);
                self.written = 0;
            }
        }
        let passed = self.across.min(self.normalised.index_of(decided));
        if 2 * passed >= self.normalised.len() {
            self.normalised.forget(passed);
            self.across -= passed;
        }
    }

    /// The views of the bytes as they are.
    fn look_plain(&mut self, start: u64, end: bool) -> u64 {
        let text = Text { bytes: &self.held[self.written..], before: self.before, end };
        let len = text.bytes.len();
        let renderer = &mut self.renderer;
        for (table, at) in [(self.known.long(), &mut self.long), (self.known.words(), &mut self.word)] {
            *at = table.map_or(len, |table| {
                look(
                    table,
                    text,
                    *at,
                    |_, _| true,
                    |found| {
                        let start = start + found.start as u64;
                        let end = start + found.len as u64;
                        renderer.add(Hit {
                            start,
                            end,
                            len: found.len,
                            secret: found.secret,
                            keeps_control: false,
                        });
                    },
                )
            });
        }
        start + self.long.min(self.word) as u64
    }

    /// The view of the text without breaks.
    fn look_across(&mut self, end: bool) -> u64 {
        let normalised = &self.normalised;
        let renderer = &mut self.renderer;
        let text = Text { bytes: normalised.settled(), before: None, end };
        let len = text.bytes.len();
        let near = |at: usize, len: usize| normalised.distance(at, len - 1) < SPREAD;
        let table = self.known.across();
        self.across = table.map_or(len, |table| {
            look(table, text, self.across, near, |found| {
                let start = normalised.hidden_from(found.start, found.len, FEW);
                let end = normalised.end_of(found.start + found.len - 1);
                renderer.add(Hit { start, end, len: found.len, secret: found.secret, keeps_control: true });
            })
        });
        if self.across < len {
            normalised.hidden_from(self.across, usize::MAX, FEW)
        } else if table.is_some_and(|table| table.begins(normalised.unsettled())) {
            normalised.place(len)
        } else {
            normalised.seen(FEW)
        }
    }

    fn withhold(&mut self, out: &mut Vec<u8>) {
        out.clear();
        if !std::mem::replace(&mut self.withheld, true) {
            out.extend_from_slice(WITHHELD.as_bytes());
        }
    }
}

impl fmt::Debug for MaskStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskStream").finish_non_exhaustive()
    }
}
