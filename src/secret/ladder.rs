//! The ladder: where a plain name is looked up, rung by rung.

/// The rungs, in order (spec: first hit wins, only *missing* falls through).
#[derive(Debug, Default)]
pub struct Ladder {}
