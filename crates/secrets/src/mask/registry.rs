//! All that was registered, as a set that grows. What is ready to be searched for is made of it
//! when a stream next looks, once for all that were registered by then.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;

use crate::mask::MaskStyle;
use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::escapes;
use crate::mask::known::Known;
use crate::mask::known::SPREAD;
use crate::mask::normalised::Normalised;
use crate::mask::pattern::Encoding;
use crate::mask::pattern::Pattern;
use crate::mask::pattern::Rule;
use crate::mask::policy;
use crate::mask::table::Table;

/// What may stand right before a value and make an escape of its first bytes.
const CONTEXTS: [&[u8]; 3] = [b"%", b"%2", b"\\"];

/// All that was registered.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) style: MaskStyle,
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    /// The values that are known, by secret, without a copy of them.
    values: HashSet<(u32, [u64; 2])>,
    keys: [RandomState; 2],
    /// Patterns for the bytes as they are, and for the second view.
    patterns: BTreeSet<Arc<Pattern>>,
    spread: BTreeSet<Arc<Pattern>>,
    /// Bytes of them all.
    size: usize,
}

impl Registry {
    /// The number of the secret called `name`; none where this value of it is known.
    pub(super) fn enter(&mut self, name: &str, value: &[u8]) -> Option<u32> {
        let number = self.numbers.get(name).copied().unwrap_or_else(|| {
            let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            let name: Arc<str> = Arc::from(name);
            self.names.push(Arc::clone(&name));
            self.numbers.insert(name, number);
            number
        });
        let hash = self.keys.each_ref().map(|key| key.hash_one(value));
        self.values.insert((number, hash)).then_some(number)
    }

    /// How many names there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// Bytes of all patterns together.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds the patterns of a value.
    pub(super) fn add(&mut self, patterns: Vec<Pattern>) {
        // The value as it is comes first: what the second view reads as it needs no pattern.
        let (plain, encoded): (Vec<_>, Vec<_>) =
            patterns.into_iter().partition(|pattern| pattern.encoding() == Encoding::Plain);
        let mut new = New { known: self, patterns: BTreeSet::new(), spread: BTreeSet::new() };
        for pattern in plain {
            if is_spread(&pattern) {
                for bytes in Normalised::in_escapes(&CONTEXTS, pattern.bytes()) {
                    if let Some(bare) = spread(bytes, &pattern) {
                        new.add_bare(bare);
                    }
                }
            }
            new.add_pattern(pattern);
        }
        for pattern in encoded {
            match bare(&pattern) {
                Some(bare) if new.reads(&bare) => {}
                Some(bare) => {
                    new.add_bare(bare);
                    new.add_pattern(pattern);
                }
                None => new.add_pattern(pattern),
            }
        }
        let New { patterns, spread, .. } = new;
        let count = patterns.len();
        let all = Pattern::locked(patterns.into_iter().chain(spread).collect());
        for (index, pattern) in all.into_iter().enumerate() {
            self.size += pattern.bytes().len();
            let set = if index < count { &mut self.patterns } else { &mut self.spread };
            set.insert(Arc::new(pattern));
        }
    }

    /// All of it, ready to be searched for.
    pub(super) fn known(&self, version: u64) -> Known {
        let of =
            |word: bool| self.patterns.iter().filter(move |pattern| (pattern.rule() == Rule::Word) == word);
        Known {
            version,
            style: self.style,
            names: self.names.clone(),
            long: Table::new(of(false)),
            words: Table::new(of(true)),
            across: Table::new(self.spread.iter()),
        }
    }
}

/// What a value adds to what is known.
struct New<'a> {
    known: &'a Registry,
    patterns: BTreeSet<Pattern>,
    spread: BTreeSet<Pattern>,
}

impl New<'_> {
    fn add_pattern(&mut self, pattern: Pattern) {
        if !self.known.patterns.contains(&pattern) {
            self.patterns.insert(pattern);
        }
    }

    fn add_bare(&mut self, pattern: Pattern) {
        if !self.known.spread.contains(&pattern) {
            self.spread.insert(pattern);
        }
    }

    /// Whether the second view has this pattern, or the same in any case.
    fn reads(&self, pattern: &Pattern) -> bool {
        let any_case = Pattern::new(copy(pattern.bytes()), pattern.secret(), Rule::AnyCase);
        let has = |pattern: &Pattern| self.known.spread.contains(pattern) || self.spread.contains(pattern);
        has(pattern) || has(&any_case)
    }
}

/// Whether a pattern may be searched for in the second view.
fn is_spread(pattern: &Pattern) -> bool {
    pattern.rule() != Rule::Word && pattern.bytes().len() as u64 <= 2 * SPREAD
}

/// A pattern as the second view reads it, if it is one that is searched for there.
fn bare(pattern: &Pattern) -> Option<Pattern> {
    is_spread(pattern).then(|| Normalised::of(pattern.bytes())).and_then(|bytes| spread(bytes, pattern))
}

fn spread(bytes: Encoded, of: &Pattern) -> Option<Pattern> {
    let fits = bytes.len() >= policy::LONG && (bytes.len() as u64) < SPREAD;
    // Only the digits of an escape may be of any case, and those are gone.
    let is_escape =
        of.encoding() == Encoding::Hex && of.bytes().first().copied().is_some_and(escapes::begins_with);
    let rule = if is_escape { Rule::Exact } else { of.rule() };
    fits.then(|| Pattern::new(bytes, of.secret(), rule))
}

fn copy(bytes: &[u8]) -> Encoded {
    form(bytes.len(), |out| out.extend_from_slice(bytes))
}
