//! One stream of bytes after another, in windows that overlap.

use std::io;
use std::io::Read;
use std::ops::Range;

use zeroize::Zeroize;

use crate::SecretValue;
use crate::scan::Hit;
use crate::scan::Scanner;
use crate::scan::What;
use crate::scan::finding::ALLOW;
use crate::scan::finding::fingerprint;
use crate::scan::lines;
use crate::scan::lines::Walk;
use crate::scan::normalised::Bare;
use crate::scan::shapes;

/// What is looked at together at least. In bytes.
const WINDOW: usize = 1 << 20;

/// What is known of the text before a place, for words and for names of tokens. In bytes.
const BEFORE: usize = 4 << 10;

/// The marks of UTF-16 at the start of a file: low byte first, high byte first.
const WIDE: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Looks through streams, one after the other; its memory is used again.
pub struct Examiner<'a> {
    scanner: &'a Scanner,
    window: Vec<u8>,
    bare: Bare,
    narrow: Vec<u8>,
    pub(super) size: usize,
    after: usize,
}

impl<'a> Examiner<'a> {
    /// For what this scanner looks for.
    pub fn new(scanner: &'a Scanner) -> Self {
        Self::with_window(scanner, WINDOW)
    }

    /// The same with another window: for tests of its borders.
    pub(super) fn with_window(scanner: &'a Scanner, window: usize) -> Self {
        let after = scanner.needles.reach().max(shapes::REACH);
        let size = window.max(2 * (BEFORE + after));
        Self { scanner, window: Vec::new(), bare: Bare::default(), narrow: Vec::new(), size, after }
    }

    /// Looks through bytes that are all there.
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<Hit> {
        let mut text = bytes;
        // A short text needs no window to be made ready for a long one.
        let size = self.size;
        self.size = size.min(bytes.len() + 1);
        let hits = self.stream(&mut text).map_or_else(|_| Vec::new(), |(hits, _)| hits);
        self.size = size;
        hits
    }

    /// Looks through a stream to its end; also says how long it was.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn stream(&mut self, from: &mut dyn Read) -> io::Result<(Vec<Hit>, u64)> {
        let mut hits = Vec::new();
        let mut window = std::mem::take(&mut self.window);
        window.clear();
        // What stands before the window: bytes, ends of lines, bytes since the last of them.
        let (mut base, mut ends, mut since) = (0_u64, 0_u64, 0_u64);
        let (mut owned, mut wide, mut is_binary) = (0, None, false);
        loop {
            let is_end = fill(from, &mut window, self.size)?;
            if base == 0 {
                wide = WIDE.iter().position(|mark| window.starts_with(mark));
                is_binary = wide.is_none() && window.contains(&0);
            }
            let to = if is_end { window.len() } else { window.len() - self.after };
            let mut walk = Walk::new(&window, ends, since);
            for (what, place) in self.look(&window, wide, is_binary) {
                if place.start < owned || place.start >= to {
                    continue;
                }
                let (line, column) = walk.to(place.start);
                hits.push(self.hit(what, &window, place, (line, column), base));
            }
            if is_end {
                let bytes = base + window.len() as u64;
                self.window = window;
                return Ok((hits, bytes));
            }
            // An even cut, so that the halves of UTF-16 stay together.
            let cut = (to - BEFORE) & !1;
            let gone = &window[..cut];
            ends += lines::ends(gone);
            since = match gone.iter().rposition(|&byte| byte == b'\n') {
                Some(last) => (cut - last - 1) as u64,
                None => since + cut as u64,
            };
            base += cut as u64;
            owned = to - cut;
            window.drain(..cut);
        }
    }

    /// All places in bytes that are all there.
    pub(super) fn places(&mut self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.look(bytes, None, false).into_iter().map(|(_, place)| place).collect()
    }

    /// All that stands in a window, by place.
    fn look(&mut self, window: &[u8], wide: Option<usize>, is_binary: bool) -> Vec<(What, Range<usize>)> {
        let sights = self.scanner.needles.search(window, &mut self.bare);
        let mut found: Vec<(What, Range<usize>)> = sights
            .iter()
            .map(|sight| (What::Value(sight.secret, sight.encoding), sight.start..sight.end))
            .collect();
        if let Some(shapes) = &self.scanner.shapes {
            let values = found.len();
            let is_new = |known: &[(What, Range<usize>)], place: &Range<usize>| {
                known[..values].iter().all(|(_, value)| value.end <= place.start || value.start >= place.end)
            };
            if let Some(wide) = wide {
                // One byte of each pair is the letter, as far as these are letters of ASCII.
                self.narrow.clear();
                self.narrow.extend(window.iter().skip(wide).step_by(2));
                for token in shapes.search(&self.narrow, false) {
                    let place = token.place.start * 2 + wide..token.place.end * 2 + wide;
                    if is_new(&found, &place) {
                        found.push((What::Shape(token.id), place));
                    }
                }
            } else {
                for token in shapes.search(window, is_binary) {
                    if is_new(&found, &token.place) {
                        found.push((What::Shape(token.id), token.place));
                    }
                }
            }
        }
        found.sort_by_key(|(_, place)| place.start);
        found
    }

    fn hit(&self, what: What, window: &[u8], place: Range<usize>, at: (u64, u64), base: u64) -> Hit {
        let near = place.start.saturating_sub(BEFORE)..window.len().min(place.end + BEFORE);
        let line = lines::around(&window[near.clone()], place.start - near.start);
        let bytes = &window[place.clone()];
        Hit {
            what,
            line: at.0,
            column: at.1,
            offset: base + place.start as u64,
            fingerprint: matches!(what, What::Shape(_)).then(|| fingerprint(bytes)),
            is_allowed: line.windows(ALLOW.len()).any(|at| at == ALLOW),
            text: self.scanner.keeps_text.then(|| SecretValue::new(bytes.to_vec())),
        }
    }
}

impl Drop for Examiner<'_> {
    fn drop(&mut self) {
        self.window.zeroize();
        self.narrow.zeroize();
    }
}

/// Fills a window up to its size; says whether the stream has ended.
fn fill(from: &mut dyn Read, window: &mut Vec<u8>, size: usize) -> io::Result<bool> {
    let mut len = window.len();
    window.resize(size, 0);
    while len < size {
        match from.read(&mut window[len..]) {
            Ok(0) => {
                window.truncate(len);
                return Ok(true);
            }
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

impl Scanner {
    /// Looks through bytes that are all there.
    pub fn search(&self, bytes: &[u8]) -> Vec<Hit> {
        Examiner::new(self).bytes(bytes)
    }

    /// The bytes with all that was found in them replaced by `***`: for paths, which are shown.
    pub fn mask(&self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        let mut from = 0;
        let mut places: Vec<_> = Examiner::new(self).places(bytes);
        places.sort_by_key(|place| place.start);
        for place in places {
            if place.start >= from {
                shown.extend_from_slice(&bytes[from..place.start]);
                shown.extend_from_slice(b"***");
            }
            from = from.max(place.end);
        }
        shown.extend_from_slice(&bytes[from.min(bytes.len())..]);
        shown
    }
}
