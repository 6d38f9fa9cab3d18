//! Finds where many long patterns stand, by looking at few places of a text.
//!
//! Of each pattern the hashes of its first pieces of eight bytes are kept, as many as the stride
//! is long. A text is hashed at every multiple of the stride only: wherever a pattern stands, one
//! of these places falls on one of its pieces. The hashes fold case, and the bytes are compared
//! in the end.
//!
//! The mask's table can't stand in for this: it says of a stream's end whether a match may still come,
//! for which it looks at the beginnings of patterns, and with the thousands of forms that a scan looks
//! for it would stop at nearly every byte. Nor can this for the table: a piece within a pattern says
//! nothing of a match whose beginning alone has come.

use zeroize::Zeroizing;

use crate::mask::Pattern;

/// What is hashed together. In bytes.
const PIECE: usize = 8;

/// The longest stride: the longer it is, the fewer places are looked at, and the more pieces
/// there are to meet.
const STRIDE: usize = 16;

/// Bits of the filter that each piece gets, about.
const SPARE: usize = 32;

/// A place where a pattern stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub start: usize,
    /// Which pattern.
    pub pattern: usize,
}

/// Patterns, ready to be found.
pub(super) struct Sieve {
    patterns: Vec<Pattern>,
    groups: Vec<Group>,
}

impl Sieve {
    /// No pattern may be shorter than eight bytes.
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let far = STRIDE + PIECE - 1;
        let groups = [(PIECE, far), (far, usize::MAX)];
        let groups = groups.into_iter().filter_map(|(from, to)| Group::new(&patterns, from..to)).collect();
        Self { patterns, groups }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    pub(super) fn pattern(&self, index: usize) -> &Pattern {
        &self.patterns[index]
    }

    /// Calls `found` for each place of each pattern, in no order.
    pub(super) fn search(&self, text: &[u8], found: &mut impl FnMut(Found)) {
        for group in &self.groups {
            group.search(&self.patterns, text, found);
        }
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    pattern: u32,
    /// Where in the pattern it stands.
    at: u32,
}

/// Patterns with one stride.
struct Group {
    stride: usize,
    /// A bit for each hash, by its upper bits.
    filter: Zeroizing<Vec<u64>>,
    /// Bits of a hash that select a bit of the filter.
    bits: u32,
    /// The pieces by their hashes, and where those begin that share the upper bits.
    entries: Vec<Entry>,
    starts: Vec<u32>,
    start_bits: u32,
}

impl Group {
    fn new(patterns: &[Pattern], lengths: std::ops::Range<usize>) -> Option<Self> {
        let members = (0..).zip(patterns).filter(|(_, pattern)| lengths.contains(&pattern.bytes().len()));
        let members: Vec<(u32, &Pattern)> = members.collect();
        let shortest = members.iter().map(|(_, pattern)| pattern.bytes().len()).min()?;
        let stride = (shortest - PIECE + 1).min(STRIDE);
        let mut entries: Vec<Entry> = Vec::with_capacity(members.len() * stride);
        for (index, pattern) in members {
            for (at, piece) in (0..).zip(pattern.bytes().windows(PIECE).take(stride)) {
                entries.push(Entry { hash: hash(piece), pattern: index, at });
            }
        }
        entries.sort_unstable_by_key(|entry| entry.hash);
        let bits = (entries.len() * SPARE).next_power_of_two().trailing_zeros().clamp(12, 22);
        let start_bits = entries.len().next_power_of_two().trailing_zeros().clamp(8, 20);
        let mut filter = Zeroizing::new(vec![0_u64; 1 << (bits - 6)]);
        let mut starts = vec![0; (1 << start_bits) + 1];
        for entry in &entries {
            let bit = upper(entry.hash, bits);
            filter[bit / 64] |= 1 << (bit % 64);
            starts[upper(entry.hash, start_bits) + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        Some(Self { stride, filter, bits, entries, starts, start_bits })
    }

    fn search(&self, patterns: &[Pattern], text: &[u8], found: &mut impl FnMut(Found)) {
        let mut at = 0;
        while let Some(piece) = text.get(at..at + PIECE) {
            let hash = hash(piece);
            let bit = upper(hash, self.bits);
            if self.filter[bit / 64] >> (bit % 64) & 1 == 1 {
                self.look(patterns, text, at, hash, found);
            }
            at += self.stride;
        }
    }

    #[cold]
    fn look(&self, patterns: &[Pattern], text: &[u8], at: usize, hash: u64, found: &mut impl FnMut(Found)) {
        let bucket = upper(hash, self.start_bits);
        let (from, to) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        for entry in self.entries[from..to].iter().filter(|entry| entry.hash == hash) {
            let pattern = &patterns[entry.pattern as usize];
            let Some(start) = at.checked_sub(entry.at as usize) else { continue };
            let rest = &text[start..];
            if rest.len() >= pattern.bytes().len() && pattern.agrees(rest) {
                found(Found { start, pattern: entry.pattern as usize });
            }
        }
    }
}

/// The hash of a piece, the same for both cases of a letter.
#[inline]
fn hash(piece: &[u8]) -> u64 {
    let piece = u64::from_le_bytes(piece.try_into().expect("a piece is eight bytes"));
    let folded = piece | 0x2020_2020_2020_2020;
    (folded ^ (folded >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The uppermost `bits` of a hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "they are few")]
fn upper(hash: u64, bits: u32) -> usize {
    (hash >> (64 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::mask::Rule;

    fn sieve(patterns: &[(&str, Rule)]) -> Sieve {
        let pattern = |&(text, rule): &(&str, Rule)| Pattern::new(Zeroizing::new(text.into()), 0, rule);
        Sieve::new(patterns.iter().map(pattern).collect())
    }

    fn found(sieve: &Sieve, text: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        sieve.search(text, &mut |found| all.push((found.start, found.pattern)));
        all.sort_unstable();
        all
    }

    #[test]
    fn every_pattern_is_found_once_at_every_place() {
        let long = "abcdefghijklmnopqrstuvwxyz0123456789";
        let patterns = ["!2345678", "hunter2hunter2", "exactly-twenty-three-by", long];
        let sieve = sieve(&patterns.map(|text| (text, Rule::Exact)));
        for (index, pattern) in patterns.iter().enumerate() {
            for before in 0..70 {
                for after in [0, 1, 30] {
                    let text = format!("{}{pattern}{}", ".".repeat(before), ".".repeat(after));
                    assert_eq!(found(&sieve, text.as_bytes()), [(before, index)], "{before} {after}");
                }
            }
        }
    }

    #[test]
    fn neighbours_and_parts_are_all_found() {
        let sieve = sieve(&[("abcdefgh", Rule::Exact), ("abcdefghijklmnopqrstuvwx", Rule::Exact)]);
        let text = b"abcdefghabcdefghijklmnopqrstuvwxabcdefg";
        assert_eq!(found(&sieve, text), [(0, 0), (8, 0), (8, 1)]);
    }

    #[test]
    fn case_counts_where_it_should() {
        let sieve = sieve(&[("aBcDeFgH12345678", Rule::AnyCase), ("Correct-Horse-Staple", Rule::Exact)]);
        assert_eq!(found(&sieve, b"ABCDEFGH12345678"), [(0, 0)]);
        assert_eq!(found(&sieve, b"correct-horse-staple"), []);
        assert_eq!(found(&sieve, b"xCorrect-Horse-Staple"), [(1, 1)]);
    }

    #[test]
    fn a_text_shorter_than_a_piece_holds_nothing() {
        let sieve = sieve(&[("abcdefgh", Rule::Exact)]);
        for text in ["", "abc", "abcdefg"] {
            assert_eq!(found(&sieve, text.as_bytes()), []);
        }
        assert!(Sieve::new(Vec::new()).is_empty());
    }
}
