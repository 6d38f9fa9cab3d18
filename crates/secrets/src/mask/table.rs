//! Finds where patterns begin: Wu and Manber's multi-pattern search, over the first bytes of all
//! patterns, with the full bytes compared at each candidate.
//!
//! An automaton over the same patterns reads every byte; this one reads four bytes in as many as
//! sixteen, and the prefixes that tokens share (`hf_`, `sk-`) don't slow it down, since it looks
//! at the end of the window first.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::mask::compared::Compared;
use crate::mask::kernel::BLOCK;
use crate::mask::kernel::HASH;
use crate::mask::kernel::hash;
use crate::mask::kernel::kernel_hash;
use crate::mask::kernel::row;
use crate::mask::kernel::tail;
use crate::mask::pattern::Pattern;
use crate::mask::pattern::Rule;

/// The longest window, the kernel of all patterns that are as long. In bytes.
const WINDOW: usize = 16;

/// From this window on, to skip bytes is faster than to look at the first two of each place.
const SKIPS: usize = 8;

/// Up to so many beginnings are looked for at many places at once.
const FEW_PAIRS: usize = 8;

/// Places looked at together.
const CHUNK: usize = 32;

/// From so many patterns with one kernel on, the one that matches is looked up rather than tried.
const MANY: usize = 8;

/// Bits of a kernel's hash, by how many patterns there are.
const KERNEL_HASH: (u32, u32) = (10, 18);

/// How much of a row of one byte is looked at together. In bytes.
const ROW: usize = 8000;

/// No pattern.
const NONE: u32 = u32::MAX;

/// The patterns of one kind, ready to be searched for.
pub(super) struct Table {
    /// By the hash of their kernel, of each hash first those with exact case, by their bytes.
    patterns: Vec<Arc<Pattern>>,
    /// Where those of each hash begin, and, small enough for the fastest cache, a bit for each hash
    /// that there is.
    starts: Vec<u32>,
    hashes: Zeroizing<Vec<u64>>,
    /// For each pattern its bytes after the kernel, as far as they are compared at once, and the
    /// longest other one of its hash and case that it begins with.
    tails: Zeroizing<Vec<u64>>,
    parents: Vec<u32>,
    /// The longest row of one byte with which a pattern begins.
    lead: usize,
    /// Bytes of each pattern that are in the table: the length of the shortest, at most `WINDOW`.
    window: usize,
    /// By hash of a window's last block, how far the next possible match is.
    shift: Zeroizing<Vec<u8>>,
    /// The patterns by their bytes: those with exact case, those in any.
    sorted: [Vec<u32>; 2],
    /// First bytes of patterns, and first two bytes.
    first: Zeroizing<Vec<u8>>,
    firsts: Zeroizing<Vec<u8>>,
    /// The first two bytes, where they are few.
    pairs: Option<Zeroizing<Vec<[u8; 2]>>>,
}

/// What is known about a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No match begins there.
    No,
    /// More bytes could make a match, or a longer one.
    Open,
    /// The longest match there.
    Hit {
        /// Its bytes.
        len: usize,
        /// Whose it is.
        secret: u32,
    },
}

/// The text in which to look.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    /// What stood before the first byte.
    pub(super) before: Option<u8>,
    /// Nothing follows the last.
    pub(super) end: bool,
}

impl Table {
    /// `None` when there are no patterns. None may be shorter than four bytes.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a Arc<Pattern>>) -> Option<Self> {
        let mut patterns: Vec<Arc<Pattern>> = patterns.map(Arc::clone).collect();
        let shortest = patterns.iter().map(|pattern| pattern.bytes().len()).min()?;
        let window = shortest.min(WINDOW);
        assert!(window >= BLOCK, "patterns are at least a block long");
        let (least, most) = KERNEL_HASH;
        let bits = (patterns.len().ilog2() + 3).clamp(least, most);
        let key = |pattern: &Pattern| (kernel_hash(&pattern.bytes()[..window], bits), is_any_case(pattern));
        patterns.sort_by_cached_key(|pattern| (key(pattern), Arc::clone(pattern)));
        let mut starts = vec![0; (1 << bits) + 1];
        for pattern in &patterns {
            starts[key(pattern).0 + 1] += 1;
        }
        let mut hashes = Zeroizing::new(vec![0; (1 << bits) / 64]);
        for pattern in &patterns {
            let (hash, _) = key(pattern);
            hashes[hash / 64] |= 1 << (hash % 64);
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let farthest = u8::try_from(window - BLOCK + 1).expect("a window is short");
        let mut table = Self {
            starts,
            hashes,
            tails: Zeroizing::new(patterns.iter().map(|it| tail(it.bytes(), window, false)).collect()),
            parents: parents(&patterns, key),
            lead: patterns.iter().map(|pattern| row(pattern.bytes(), usize::MAX)).max().unwrap_or(0),
            window,
            shift: Zeroizing::new(vec![farthest; 1 << HASH]),
            sorted: [Vec::new(), Vec::new()],
            first: Zeroizing::new(vec![0; 1 << 8]),
            firsts: Zeroizing::new(vec![0; 1 << 16]),
            pairs: None,
            patterns: Vec::new(),
        };
        for (index, pattern) in (0..).zip(&patterns) {
            table.enter(index, pattern);
        }
        for sorted in &mut table.sorted {
            sorted.sort_unstable_by_key(|&index| patterns[index as usize].bytes());
        }
        table.patterns = patterns;
        table.pairs = table.few_pairs();
        Some(table)
    }

    fn enter(&mut self, index: u32, pattern: &Pattern) {
        let kernel = &pattern.bytes()[..self.window];
        let last = u8::try_from(self.window - BLOCK).expect("a window is short");
        for (block, shift) in kernel.windows(BLOCK).zip((0..=last).rev()) {
            let known = &mut self.shift[usize::from(hash(block))];
            *known = shift.min(*known);
        }
        let any_case = is_any_case(pattern);
        self.sorted[usize::from(any_case)].push(index);
        let cases = |byte: u8| [byte, if any_case { byte.to_ascii_uppercase() } else { byte }];
        for first in cases(kernel[0]) {
            self.first[usize::from(first)] = 1;
            for second in cases(kernel[1]) {
                self.firsts[pair(first, second)] = 1;
            }
        }
    }

    fn few_pairs(&self) -> Option<Zeroizing<Vec<[u8; 2]>>> {
        let mut pairs = Zeroizing::new(Vec::with_capacity(FEW_PAIRS));
        for pair in (0..=u16::MAX).filter(|&pair| self.firsts[usize::from(pair)] == 1) {
            if pairs.len() == FEW_PAIRS {
                return None;
            }
            pairs.push(pair.to_be_bytes());
        }
        Some(pairs)
    }

    /// The first place from `at` on where a match could begin. All before it are decided.
    #[inline]
    pub(super) fn candidate(&self, bytes: &[u8], mut at: usize) -> usize {
        if self.window < SKIPS {
            return self.beginning(bytes, at);
        }
        let end = self.window;
        let block = end - BLOCK;
        while let Some(window) = bytes.get(at + block..at + end) {
            let shift = self.shift[usize::from(hash(window))];
            if shift == 0 {
                break;
            }
            at += usize::from(shift);
        }
        at
    }

    /// The first place from `at` on that begins as a pattern does.
    #[expect(clippy::needless_bitwise_bool, reason = "without a branch, so that many are done at once")]
    fn beginning(&self, bytes: &[u8], mut at: usize) -> usize {
        let begins = |two: &[u8]| self.firsts[pair(two[0], two[1])] == 1;
        if let Some(pairs) = &self.pairs {
            while let Some(chunk) = bytes[at..].first_chunk::<{ CHUNK + 1 }>() {
                let mut seen = false;
                for &[first, second] in &**pairs {
                    // Without an early exit, so that it is done for many bytes at once.
                    for (&one, &next) in chunk[..CHUNK].iter().zip(&chunk[1..]) {
                        seen |= (one == first) & (next == second);
                    }
                }
                if seen && let Some(found) = chunk.windows(2).position(begins) {
                    return at + found;
                }
                at += CHUNK;
            }
        }
        let found = bytes[at..].windows(2).position(begins);
        found.map_or(at.max(bytes.len().saturating_sub(1)), |found| at + found)
    }

    /// What is known about the place `at`. A match counts if `near` says so of its length; for a
    /// match that is still open, it is asked for a length of one more than there is.
    pub(super) fn judge(
        &self,
        text: Text<'_>,
        at: usize,
        compared: &mut Compared,
        near: impl Fn(usize) -> bool,
    ) -> Verdict {
        let rest = &text.bytes[at..];
        let Some(kernel) = rest.get(..self.window) else {
            let open = !text.end && self.begins(rest) && near(rest.len() + 1);
            return if open { Verdict::Open } else { Verdict::No };
        };
        let hash = kernel_hash(kernel, self.starts.len().ilog2());
        if self.hashes[hash / 64] >> (hash % 64) & 1 == 0 {
            return Verdict::No;
        }
        let (from, to) = (self.starts[hash] as usize, self.starts[hash + 1] as usize);
        let mut verdict = Verdict::No;
        let middle = from + self.patterns[from..to].partition_point(|pattern| !is_any_case(pattern));
        for (from, to) in [(from, middle), (middle, to)] {
            match self.of_kernel(text, at, (from, to), compared, &near) {
                Verdict::Open => return Verdict::Open,
                Verdict::Hit { len, secret } => {
                    if !matches!(verdict, Verdict::Hit { len: other, .. } if other >= len) {
                        verdict = Verdict::Hit { len, secret };
                    }
                }
                Verdict::No => {}
            }
        }
        verdict
    }

    /// What the patterns of one kernel and case make of the place. Of those that match each is the
    /// beginning of the next: the longest is the last by its bytes.
    fn of_kernel(
        &self,
        text: Text<'_>,
        at: usize,
        (from, to): (usize, usize),
        compared: &mut Compared,
        near: &impl Fn(usize) -> bool,
    ) -> Verdict {
        if to - from <= MANY {
            let verdicts = (from..to).rev().map(|index| self.one(text, at, index, compared, near));
            return verdicts.into_iter().find(|verdict| *verdict != Verdict::No).unwrap_or(Verdict::No);
        }
        let rest = &text.bytes[at..];
        let any_case = is_any_case(&self.patterns[from]);
        // Kernels may share a hash; only the tails of one kernel are in order.
        let mut own = Zeroizing::new([0; WINDOW]);
        let kernel = &mut own[..self.window];
        kernel.copy_from_slice(&rest[..self.window]);
        if any_case {
            kernel.make_ascii_lowercase();
        }
        let kernel = &*kernel;
        let head = |pattern: &Pattern| pattern.bytes()[..kernel.len()].cmp(kernel);
        let start = from + self.patterns[from..to].partition_point(|pattern| head(pattern).is_lt());
        let to = start + self.patterns[start..to].partition_point(|pattern| head(pattern).is_eq());
        let from = start;
        if from == to {
            return Verdict::No;
        }
        let tail = tail(rest, self.window, any_case);
        let low = from + self.tails[from..to].partition_point(|&other| other < tail);
        let high = low + self.tails[low..to].partition_point(|&other| other == tail);
        // Those with which the text begins are all among the last that does not follow it and its
        // ancestors.
        let next = low + self.patterns[low..high].partition_point(|pattern| !follows(pattern, rest));
        if next < to && self.one(text, at, next, compared, near) == Verdict::Open {
            return Verdict::Open;
        }
        let mut index = next.checked_sub(1).filter(|&last| last >= from);
        while let Some(this) = index {
            let verdict = self.one(text, at, this, compared, near);
            if verdict != Verdict::No {
                return verdict;
            }
            index = Some(self.parents[this] as usize).filter(|&parent| parent != NONE as usize);
        }
        Verdict::No
    }

    /// How many places from `at` on, where a match begins, are in a row of one byte that is so long
    /// that the same match begins at all of them.
    pub(super) fn alike(&self, bytes: &[u8], at: usize) -> usize {
        if self.lead > ROW / 2 {
            return 1;
        }
        row(&bytes[at..], ROW).saturating_sub(self.lead).max(1)
    }

    /// What one pattern makes of the place.
    fn one(
        &self,
        text: Text<'_>,
        at: usize,
        index: usize,
        compared: &mut Compared,
        near: &impl Fn(usize) -> bool,
    ) -> Verdict {
        let pattern = &*self.patterns[index];
        let rest = &text.bytes[at..];
        let len = pattern.bytes().len();
        if text.end && rest.len() < len {
            return Verdict::No;
        }
        let word = pattern.rule() == Rule::Word;
        let before = if at > 0 { Some(text.bytes[at - 1]) } else { text.before };
        if word && before.is_some_and(in_word) || !compared.agrees((index, pattern), text.bytes, at) {
            return Verdict::No;
        }
        let needed = len + usize::from(word && !text.end);
        if rest.len() < needed {
            return if near(rest.len() + 1) { Verdict::Open } else { Verdict::No };
        }
        if (word && rest.get(len).copied().is_some_and(in_word)) || !near(len) {
            return Verdict::No;
        }
        Verdict::Hit { len, secret: pattern.secret() }
    }

    /// Whether a pattern begins with `tail`, which is shorter than the window, and not empty.
    pub(super) fn begins(&self, tail: &[u8]) -> bool {
        match *tail {
            [] => return false,
            [first] => return self.first[usize::from(first)] == 1,
            [first, second, ..] if self.firsts[pair(first, second)] == 0 => return false,
            _ => {}
        }
        let mut lower = [0; WINDOW];
        let lower = &mut lower[..tail.len()];
        lower.copy_from_slice(tail);
        lower.make_ascii_lowercase();
        let [exact, any_case] = &self.sorted;
        self.holds(exact, tail) || self.holds(any_case, lower)
    }

    fn holds(&self, sorted: &[u32], tail: &[u8]) -> bool {
        let head = |index: u32| &self.patterns[index as usize].bytes()[..tail.len()];
        let at = sorted.partition_point(|&index| head(index) < tail);
        sorted.get(at).is_some_and(|&index| head(index) == tail)
    }
}

fn is_any_case(pattern: &Pattern) -> bool {
    pattern.rule() == Rule::AnyCase
}

/// Whether a pattern stands behind `text` in the order of bytes: it is not a beginning of it.
fn follows(pattern: &Pattern, text: &[u8]) -> bool {
    let text = &text[..text.len().min(pattern.bytes().len())];
    if is_any_case(pattern) {
        pattern.bytes().iter().copied().gt(text.iter().map(u8::to_ascii_lowercase))
    } else {
        pattern.bytes() > text
    }
}

/// For each pattern the longest other one of its group that it begins with. Those of a group stand
/// together, by their bytes.
fn parents<K: PartialEq>(patterns: &[Arc<Pattern>], group: impl Fn(&Pattern) -> K) -> Vec<u32> {
    let mut parents = Vec::with_capacity(patterns.len());
    let mut open: Vec<usize> = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        while open.last().is_some_and(|&last| {
            let last = &patterns[last];
            group(last) != group(pattern) || !pattern.bytes().starts_with(last.bytes())
        }) {
            open.pop();
        }
        parents.push(open.last().and_then(|&last| u32::try_from(last).ok()).unwrap_or(NONE));
        open.push(index);
    }
    parents
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests;
