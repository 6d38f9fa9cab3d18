//! How an operation ended.

use std::collections::HashMap;

use crate::event::End;
use crate::step::Value;

/// A process that is over, and what it printed: the last [`Ended::KEPT`] bytes of each stream.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How.
    pub end: End,
    /// Standard output without its last newline.
    pub stdout: Value,
    /// Standard error, likewise.
    pub stderr: Value,
    /// Which of them was longer.
    pub cut: Cut,
}

impl Ended {
    /// Bytes of each stream that are kept for captures: the last ones.
    pub const KEPT: usize = 16 << 20;
}

/// Which outputs of a process were longer than what is kept of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// The result of an operation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended; `Exit { code: 0 }` is success.
    pub end: End,
    /// What it printed, if it ran a command.
    pub printed: Option<(Value, Value)>,
    /// Which of it is not whole.
    pub cut: Cut,
    /// Its named outputs.
    pub outputs: HashMap<String, Value>,
    /// Variables that it sets.
    pub sets: Vec<(String, Value)>,
}

impl Outcome {
    /// Done, with nothing to pass on.
    pub fn success() -> Self {
        Self::ended(End::Exit { code: 0 })
    }

    /// Bytes of all that it passes on.
    pub(crate) fn size(&self) -> usize {
        let printed = self.printed.iter().flat_map(|(stdout, stderr)| [stdout, stderr]);
        let sets = self.sets.iter().map(|(_, value)| value);
        printed.chain(self.outputs.values()).chain(sets).map(Value::size).sum()
    }

    /// Ended like this, with nothing to pass on.
    pub fn ended(end: End) -> Self {
        Self { end, printed: None, cut: Cut::default(), outputs: HashMap::new(), sets: Vec::new() }
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        Self { printed: Some((ended.stdout, ended.stderr)), cut: ended.cut, ..Self::ended(ended.end) }
    }
}
