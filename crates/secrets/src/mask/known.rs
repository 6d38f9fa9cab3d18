//! What the mask knows at one moment; replaced as a whole when more is registered.

use std::sync::Arc;

use crate::mask::MaskStyle;
use crate::mask::normalised::Normalised;
use crate::mask::pattern::Pattern;
use crate::mask::pattern::Rule;
use crate::mask::policy;
use crate::mask::table::Table;

/// The patterns of all secrets, ready to be searched for.
#[derive(Default)]
pub(super) struct Known {
    version: u64,
    style: MaskStyle,
    names: Vec<Arc<str>>,
    patterns: Vec<Arc<Pattern>>,
    spread: Vec<Arc<Pattern>>,
    long: Option<Table>,
    words: Option<Table>,
    across: Option<Table>,
}

impl Known {
    pub(super) fn new(style: MaskStyle) -> Self {
        Self { style, ..Self::default() }
    }

    /// Raised with each change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// How many names there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, secret: u32) -> &str {
        &self.names[secret as usize]
    }

    /// What stands for a secret.
    pub(super) fn replacement(&self, secret: u32) -> String {
        match self.style {
            MaskStyle::Stars => "***".to_owned(),
            MaskStyle::Names => format!("‹{}›", self.name(secret)),
        }
    }

    /// Patterns of values from eight bytes on.
    pub(super) fn long(&self) -> Option<&Table> {
        self.long.as_ref()
    }

    /// Patterns of shorter values.
    pub(super) fn words(&self) -> Option<&Table> {
        self.words.as_ref()
    }

    /// Patterns without breaks, for the second view.
    pub(super) fn across(&self) -> Option<&Table> {
        self.across.as_ref()
    }

    /// The number of the secret called `name`, a new one if there is none.
    pub(super) fn number(&self, name: &str) -> usize {
        self.names.iter().position(|known| **known == *name).unwrap_or(self.names.len())
    }

    /// All that is known with the patterns of one more value of the secret `name`; `None` when
    /// all of them are known.
    pub(super) fn with(&self, name: &str, new: Vec<Pattern>) -> Option<Self> {
        let mut patterns = self.patterns.clone();
        let mut spread = self.spread.clone();
        let mut added = Vec::new();
        for pattern in new {
            if pattern.bytes().len() as u64 > 2 * SPREAD {
                added.push(Arc::new(pattern));
                continue;
            }
            let normalised = Normalised::of(pattern.bytes());
            let fits = normalised.len() >= policy::ACROSS && (normalised.len() as u64) < SPREAD;
            if pattern.rule() != Rule::Word && fits {
                let bare = Pattern::new(normalised, pattern.secret(), pattern.rule());
                if bare.bytes() != pattern.bytes() {
                    added.push(Arc::new(Pattern::new(
                        bare.bytes().to_vec().into(),
                        bare.secret(),
                        bare.rule(),
                    )));
                }
                insert(&mut spread, Arc::new(bare));
            }
            added.push(Arc::new(pattern));
        }
        let mut changed = false;
        for pattern in added {
            changed |= insert(&mut patterns, pattern);
        }
        if !changed {
            return None;
        }
        let mut names = self.names.clone();
        if self.number(name) == names.len() {
            names.push(Arc::from(name));
        }
        let of = |word: bool| {
            let kind = patterns.iter().filter(|pattern| (pattern.rule() == Rule::Word) == word);
            Table::new(kind.cloned().collect())
        };
        Some(Self {
            version: self.version + 1,
            style: self.style,
            names,
            long: of(false),
            words: of(true),
            across: Table::new(spread.clone()),
            patterns,
            spread,
        })
    }

    /// Bytes of all patterns together.
    pub(super) fn size(&self) -> usize {
        self.patterns.iter().map(|pattern| pattern.bytes().len()).sum()
    }
}

/// Puts a pattern into its place, unless the same bytes are there, by whichever name.
fn insert(sorted: &mut Vec<Arc<Pattern>>, new: Arc<Pattern>) -> bool {
    let at = sorted.partition_point(|known| known.key() < new.key());
    if sorted.get(at).is_some_and(|known| known.key() == new.key()) {
        return false;
    }
    sorted.insert(at, new);
    true
}

/// A value that is broken up is found if it is spread over no more than this. In bytes.
pub(super) const SPREAD: u64 = 8 * 1024;
