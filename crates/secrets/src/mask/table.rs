//! Finds where patterns begin: Wu and Manber's multi-pattern search, over the first bytes of all
//! patterns, with the full bytes compared at each candidate.
//!
//! An automaton over the same patterns reads every byte; this one reads four bytes in as many as
//! sixteen, and the prefixes that tokens share (`hf_`, `sk-`) don't slow it down, since it looks
//! at the end of the window first.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::mask::pattern::Pattern;
use crate::mask::pattern::Rule;

/// The longest window, the kernel of all patterns that are as long. In bytes.
const WINDOW: usize = 16;

/// What is read at once. In bytes.
const BLOCK: usize = 4;

/// From this window on, to skip bytes is faster than to look at the first two of each place.
const SKIPS: usize = 8;

/// Bits of a block's hash: the table of 32 KiB stays in the fastest cache.
const HASH: u32 = 15;

/// The patterns of one kind, ready to be searched for.
pub(super) struct Table {
    patterns: Vec<Arc<Pattern>>,
    /// Bytes of each pattern that are in the table: the length of the shortest, at most `WINDOW`.
    window: usize,
    /// By hash of a window's last block, how far the next possible match is.
    shift: Zeroizing<Vec<u8>>,
    /// The patterns by the hash of the last block of their window, sorted.
    entries: Vec<(u16, u32)>,
    /// The patterns by their bytes: those with exact case, those in any.
    sorted: [Vec<u32>; 2],
    /// First bytes of patterns, and first two bytes.
    first: Zeroizing<Vec<u8>>,
    firsts: Zeroizing<Vec<u8>>,
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
    pub(super) fn new(patterns: Vec<Arc<Pattern>>) -> Option<Self> {
        let shortest = patterns.iter().map(|pattern| pattern.bytes().len()).min()?;
        let window = shortest.min(WINDOW);
        assert!(window >= BLOCK, "patterns are at least a block long");
        let farthest = u8::try_from(window - BLOCK + 1).expect("a window is short");
        let mut table = Self {
            window,
            shift: Zeroizing::new(vec![farthest; 1 << HASH]),
            entries: Vec::with_capacity(patterns.len()),
            sorted: [Vec::new(), Vec::new()],
            first: Zeroizing::new(vec![0; 1 << 8]),
            firsts: Zeroizing::new(vec![0; 1 << 16]),
            patterns: Vec::new(),
        };
        for (index, pattern) in (0..).zip(&patterns) {
            table.enter(index, pattern);
        }
        table.entries.sort_unstable();
        for sorted in &mut table.sorted {
            sorted.sort_unstable_by_key(|&index| patterns[index as usize].bytes());
        }
        table.patterns = patterns;
        Some(table)
    }

    fn enter(&mut self, index: u32, pattern: &Pattern) {
        let kernel = &pattern.bytes()[..self.window];
        let last = u8::try_from(self.window - BLOCK).expect("a window is short");
        for (block, shift) in kernel.windows(BLOCK).zip((0..=last).rev()) {
            let known = &mut self.shift[usize::from(hash(block))];
            *known = shift.min(*known);
        }
        self.entries.push((hash(&kernel[self.window - BLOCK..]), index));
        let any_case = pattern.rule() == Rule::AnyCase;
        self.sorted[usize::from(any_case)].push(index);
        let cases = |byte: u8| [byte, if any_case { byte.to_ascii_uppercase() } else { byte }];
        for first in cases(kernel[0]) {
            self.first[usize::from(first)] = 1;
            for second in cases(kernel[1]) {
                self.firsts[pair(first, second)] = 1;
            }
        }
    }

    /// The first place from `at` on where a match could begin. All before it are decided.
    #[inline]
    pub(super) fn candidate(&self, bytes: &[u8], mut at: usize) -> usize {
        if self.window < SKIPS {
            let begins = |two: &[u8]| self.firsts[pair(two[0], two[1])] == 1;
            let found = bytes[at..].windows(2).position(begins);
            return found.map_or(at.max(bytes.len().saturating_sub(1)), |found| at + found);
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

    /// What is known about the place `at`. A match counts if `near` says so of its length; for a
    /// match that is still open, it is asked for a length of one more than there is.
    pub(super) fn judge(&self, text: Text<'_>, at: usize, near: impl Fn(usize) -> bool) -> Verdict {
        let rest = &text.bytes[at..];
        let Some(kernel) = rest.get(..self.window) else {
            let open = !text.end && self.begins(rest) && near(rest.len() + 1);
            return if open { Verdict::Open } else { Verdict::No };
        };
        let hash = hash(&kernel[self.window - BLOCK..]);
        let from = self.entries.partition_point(|&(other, _)| other < hash);
        let mut verdict = Verdict::No;
        for &(_, index) in self.entries[from..].iter().take_while(|&&(other, _)| other == hash) {
            let pattern = &*self.patterns[index as usize];
            let len = pattern.bytes().len();
            if !pattern.agrees(rest) {
                continue;
            }
            let word = pattern.rule() == Rule::Word;
            let before = if at > 0 { Some(text.bytes[at - 1]) } else { text.before };
            if word && before.is_some_and(in_word) {
                continue;
            }
            let needed = len + usize::from(word && !text.end);
            if rest.len() < needed {
                if !text.end && near(rest.len() + 1) {
                    return Verdict::Open;
                }
                continue;
            }
            if (word && rest.get(len).copied().is_some_and(in_word)) || !near(len) {
                continue;
            }
            if !matches!(verdict, Verdict::Hit { len: other, .. } if other >= len) {
                verdict = Verdict::Hit { len, secret: pattern.secret() };
            }
        }
        verdict
    }

    /// Whether a pattern begins with `tail`, which is shorter than the window.
    fn begins(&self, tail: &[u8]) -> bool {
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

/// The hash of a block, the same for both cases of a letter.
#[inline]
fn hash(block: &[u8]) -> u16 {
    let block = u32::from_le_bytes(block.try_into().expect("a block is four bytes"));
    let mixed = (block | 0x2020_2020).wrapping_mul(0x9e37_79b1);
    (mixed >> (32 - HASH)) as u16
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(patterns: &[(&str, Rule)]) -> Table {
        let pattern = |(index, &(text, rule)): (usize, &(&str, Rule))| {
            let bytes = Zeroizing::new(text.as_bytes().to_vec());
            Arc::new(Pattern::new(bytes, u32::try_from(index).unwrap(), rule))
        };
        Table::new(patterns.iter().enumerate().map(pattern).collect()).unwrap()
    }

    fn text(bytes: &str, end: bool) -> Text<'_> {
        Text { bytes: bytes.as_bytes(), before: None, end }
    }

    #[test]
    fn a_candidate_is_found_at_every_offset() {
        let table = table(&[("correcthorse", Rule::Exact), ("batterystaple!", Rule::Exact)]);
        for pad in 0..40 {
            let hay = format!("{}batterystaple!", ".".repeat(pad));
            let mut at = table.candidate(hay.as_bytes(), 0);
            while table.judge(text(&hay, true), at, |_| true) == Verdict::No {
                at = table.candidate(hay.as_bytes(), at + 1);
            }
            assert_eq!(at, pad);
        }
    }

    #[test]
    fn the_longest_match_waits_for_its_end() {
        let table = table(&[("abcdefgh", Rule::Exact), ("abcdefghijkl", Rule::Exact)]);
        let at = |hay: &str, end| table.judge(text(hay, end), 0, |_| true);
        assert_eq!(at("abcdefghij", false), Verdict::Open);
        assert_eq!(at("abcdefghij", true), Verdict::Hit { len: 8, secret: 0 });
        assert_eq!(at("abcdefghijkl", false), Verdict::Hit { len: 12, secret: 1 });
        assert_eq!(at("abcde", false), Verdict::Open);
        assert_eq!(at("abcde", true), Verdict::No);
        assert_eq!(at("abcdX", false), Verdict::No);
    }

    #[test]
    fn words_end_where_words_end() {
        let table = table(&[("hunter2", Rule::Word)]);
        let at = |hay: &str, at, end| table.judge(text(hay, end), at, |_| true);
        assert_eq!(at("hunter2", 0, false), Verdict::Open);
        assert_eq!(at("hunter2", 0, true), Verdict::Hit { len: 7, secret: 0 });
        assert_eq!(at("hunter22", 0, false), Verdict::No);
        assert_eq!(at(" hunter2.", 1, false), Verdict::Hit { len: 7, secret: 0 });
        assert_eq!(at("xhunter2.", 1, false), Verdict::No);
    }

    #[test]
    fn any_case_matches_any_case() {
        let table = table(&[("aBcDeFgHiJ0123456789", Rule::AnyCase)]);
        let hit = Verdict::Hit { len: 20, secret: 0 };
        assert_eq!(table.judge(text("ABCDEFGHIJ0123456789", false), 0, |_| true), hit);
        assert_eq!(table.judge(text("ABCd", false), 0, |_| true), Verdict::Open);
    }
}
