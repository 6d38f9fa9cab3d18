//! What was found in a shell text.

use std::collections::HashMap;
use std::collections::HashSet;
use std::ops::Range;

/// What was found in a text. Locations are byte offsets in it.
#[derive(Debug, Default)]
pub struct Survey {
    /// Variables with capital names whose value the text takes as it is, in order: `$NAME` and `${NAME}`,
    /// and not `${NAME:-…}`, which says what to do without one.
    pub uses: Vec<Use>,
    /// Pipes whose end is that of a command which only passes on what it reads.
    pub pipes: Vec<Pipe>,
    /// Text that stands for itself, in order: between `'…'`, comments, and here-documents
    /// with a quoted delimiter.
    pub(super) literal: Vec<Range<usize>>,
    /// Names that stand in the text in another way: assigned, read into, declared.
    pub(super) names: HashSet<String>,
    /// Names that `[ -n … ]` or `[ -z … ]` asks about, and where it first does.
    pub(super) asked: HashMap<String, usize>,
    /// It reads another text, which may set anything.
    pub(super) reads_others: bool,
    pub(super) sets_pipefail: bool,
}

/// A variable whose value is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// `$NAME`, or `${NAME…}` up to its brace.
    pub at: Range<usize>,
}

/// A pipe that hides how its first commands end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// The name of the last command.
    pub last: String,
    /// From the last `|` to that name.
    pub at: Range<usize>,
}

impl Survey {
    /// The names that the text uses and can't have a value for by itself, each where it is first used.
    pub fn unset(&self) -> impl Iterator<Item = &Use> {
        let mut seen = HashSet::new();
        let is_asked = |of: &Use| self.asked.get(&of.name).is_some_and(|from| *from <= of.at.start);
        let unset = self.uses.iter().filter(move |of| !self.names.contains(&of.name) && !is_asked(of));
        let unset = unset.filter(move |of| seen.insert(of.name.as_str()));
        (!self.reads_others).then_some(unset).into_iter().flatten()
    }

    /// Whether the byte at an offset stands for itself, whatever it is.
    pub fn is_literal(&self, at: usize) -> bool {
        let next = self.literal.partition_point(|range| range.end <= at);
        self.literal.get(next).is_some_and(|range| range.contains(&at))
    }
}
