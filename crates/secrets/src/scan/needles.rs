//! The stored values and all their forms, ready to be found in a text.

use std::collections::HashMap;

use crate::Mask;
use crate::SecretValue;
use crate::Weakness;
use crate::mask;
use crate::mask::Encoding;
use crate::mask::Pattern;
use crate::mask::Rule;
use crate::scan::normalised;
use crate::scan::normalised::Bare;
use crate::scan::sieve::Sieve;
use crate::vendor;

/// From here on a form is searched for in the normalised text, and so across breaks. In bytes.
const ACROSS: usize = 16;

/// A form may be spread over this much more than its own length. In bytes.
const SPREAD: usize = 8 * 1024;

/// A value that is not looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Whose it is.
    pub name: String,
    /// Why, to follow "the value".
    pub why: &'static str,
}

/// A place of a value in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    pub start: usize,
    pub end: usize,
    pub secret: u32,
    pub encoding: Encoding,
}

/// The values.
pub(super) struct Needles {
    names: Vec<String>,
    /// Forms that are searched for in the normalised text.
    across: Sieve,
    /// Shorter ones, in the text as it is.
    short: Sieve,
    /// Values of four to seven bytes, as words.
    words: Option<(aho_corasick::AhoCorasick, Vec<u32>)>,
    longest: usize,
}

impl Needles {
    /// Of two names with one value the first is reported.
    pub(super) fn new(values: &[(String, SecretValue)]) -> (Self, Vec<Skipped>) {
        let (mut names, mut skipped): (Vec<String>, _) = (Vec::new(), Vec::new());
        let mut patterns = Vec::new();
        for (name, value) in values {
            if let Some(why) = unfit(name, value) {
                skipped.push(Skipped { name: name.clone(), why });
                continue;
            }
            let secret = u32::try_from(names.len()).unwrap_or(u32::MAX);
            patterns.extend(mask::compile(value.plain(), secret));
            names.push(name.clone());
        }
        let longest = patterns.iter().map(|pattern| pattern.bytes().len()).max().unwrap_or(0);
        let (mut across, mut short, mut words) = (Unique::default(), Unique::default(), Vec::new());
        for pattern in patterns {
            if pattern.rule() == Rule::Word {
                words.push(pattern);
                continue;
            }
            let bare = normalised::of(pattern.bytes());
            let same = |bytes: zeroize::Zeroizing<Vec<u8>>| {
                Pattern::new(bytes, pattern.secret(), pattern.rule()).written(pattern.encoding())
            };
            if bare.len() < ACROSS {
                short.add(pattern);
                continue;
            }
            // After a backslash these letters go with it.
            if matches!(bare[0], b'n' | b'r' | b't') && bare.len() > ACROSS {
                across.add(same(bare[1..].to_vec().into()));
            }
            across.add(same(bare));
        }
        let words = (!words.is_empty()).then(|| {
            let texts = words.iter().map(Pattern::bytes);
            let search = aho_corasick::AhoCorasick::new(texts).expect("a few short words");
            (search, words.iter().map(Pattern::secret).collect())
        });
        (Self { names, across: across.sieve(), short: short.sieve(), words, longest }, skipped)
    }

    pub(super) fn name(&self, secret: u32) -> &str {
        &self.names[secret as usize]
    }

    /// How many values there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// No form is spread over more than this. In bytes.
    pub(super) fn reach(&self) -> usize {
        2 * self.longest + SPREAD
    }

    /// All places of all values, each value once where its forms overlap; by place.
    pub(super) fn search(&self, text: &[u8], bare: &mut Bare) -> Vec<Sight> {
        let mut sights = Vec::new();
        if !self.across.is_empty() {
            bare.fill(text);
            self.across.search(bare.text(), &mut |found| {
                let pattern = self.across.pattern(found.pattern);
                let len = pattern.bytes().len();
                let start = bare.place(text, found.start);
                let end = bare.place(text, found.start + len - 1) + 1;
                if end - start <= len * 2 + SPREAD {
                    sights.push(sight(pattern, start, end));
                }
            });
        }
        if !self.short.is_empty() {
            self.short.search(text, &mut |found| {
                let pattern = self.short.pattern(found.pattern);
                sights.push(sight(pattern, found.start, found.start + pattern.bytes().len()));
            });
        }
        if let Some((search, secrets)) = &self.words {
            for found in search.find_overlapping_iter(text) {
                let in_word = |byte: Option<&u8>| {
                    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
                };
                let before = found.start().checked_sub(1).and_then(|at| text.get(at));
                if !in_word(before) && !in_word(text.get(found.end())) {
                    let secret = secrets[found.pattern().as_usize()];
                    let (start, end) = (found.start(), found.end());
                    sights.push(Sight { start, end, secret, encoding: Encoding::Plain });
                }
            }
        }
        merge(sights)
    }
}

fn sight(pattern: &Pattern, start: usize, end: usize) -> Sight {
    Sight { start, end, secret: pattern.secret(), encoding: pattern.encoding() }
}

/// Patterns, each once: one that matches in any case stands for the exact one.
#[derive(Default)]
struct Unique {
    any_case: HashMap<Vec<u8>, Pattern>,
    exact: Vec<Pattern>,
}

impl Unique {
    fn add(&mut self, pattern: Pattern) {
        if pattern.rule() == Rule::AnyCase {
            self.any_case.entry(pattern.bytes().to_vec()).or_insert(pattern);
        } else {
            self.exact.push(pattern);
        }
    }

    fn sieve(mut self) -> Sieve {
        self.exact
            .sort_by(|one, other| (one.bytes(), one.encoding()).cmp(&(other.bytes(), other.encoding())));
        self.exact.dedup_by(|one, other| one.bytes() == other.bytes());
        self.exact.retain(|pattern| !self.any_case.contains_key(&pattern.bytes().to_ascii_lowercase()));
        let any_case = self.any_case.into_iter().map(|(mut key, pattern)| {
            zeroize::Zeroize::zeroize(&mut key);
            pattern
        });
        self.exact.extend(any_case);
        Sieve::new(self.exact)
    }
}

/// Why a value is not looked for: ordinary text would be full of it.
fn unfit(name: &str, value: &SecretValue) -> Option<&'static str> {
    let core = value.plain().trim_ascii();
    // It names an account, and stands beside every use of it.
    if vendor::is_public(name) {
        return Some("is a name, not a secret");
    }
    if core.len() < mask::SHORTEST {
        return Some("is too short to be looked for");
    }
    if core.len() > mask::LONGEST {
        return Some("is too long to be looked for");
    }
    match Mask::weakness(value)? {
        Weakness::Common => Some("is a common word"),
        Weakness::Number => Some("is a plain number"),
        Weakness::Repeated => Some("is one character repeated"),
        Weakness::Path => Some("is a path"),
        Weakness::Short => None,
    }
}

/// Of sights of one secret that overlap or touch, one: from the first byte to the last, in the
/// form of the longest.
fn merge(mut sights: Vec<Sight>) -> Vec<Sight> {
    sights.sort_by_key(|sight| (sight.start, std::cmp::Reverse(sight.end), sight.encoding));
    let mut merged: Vec<(Sight, usize)> = Vec::new();
    for sight in sights {
        let len = sight.end - sight.start;
        // The form of another secret that lies within one is a part of it.
        if merged.iter().rev().take(8).any(|(known, _)| known.end >= sight.end && known.start <= sight.start)
        {
            continue;
        }
        let same = merged
            .iter_mut()
            .rev()
            .take(8)
            .find(|(known, _)| known.secret == sight.secret && known.end + 2 >= sight.start);
        match same {
            Some((known, longest)) => {
                known.end = known.end.max(sight.end);
                if len > *longest {
                    known.encoding = sight.encoding;
                    *longest = len;
                }
            }
            None => merged.push((sight, len)),
        }
    }
    merged.into_iter().map(|(sight, _)| sight).collect()
}
