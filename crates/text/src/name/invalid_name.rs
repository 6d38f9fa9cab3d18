//! Why a text is not a name.

use crate::show::brief;
use crate::show::exact;

/// Why a text is not a name of its kind. Its `Display` says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: {expected}")]
pub struct InvalidName {
    found: String,
    what: &'static str,
    expected: &'static str,
}

impl InvalidName {
    pub(in crate::name) fn new(found: &str, what: &'static str, expected: &'static str) -> Self {
        // What a step printed may stand here: any bytes, and as many.
        let head = &found[..found.floor_char_boundary(LONGEST)];
        Self { found: brief(&exact(head.as_bytes()), LONGEST), what, expected }
    }
}

/// So much of a text that is no name is repeated, in characters.
const LONGEST: usize = 200;
