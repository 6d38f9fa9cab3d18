//! One way of looking at a stream: how far it is decided, and where matches lie.

use crate::mask::compared::Compared;
use crate::mask::table::Table;
use crate::mask::table::Text;
use crate::mask::table::Verdict;

/// A match, in bytes from the start of what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) len: usize,
    /// Whose it is.
    pub(super) secret: u32,
}

/// Looks on from `at`, and gives back the first place where a match could still begin: all
/// before it are decided. `near` tells whether a match at a place may have a length.
pub(super) fn look(
    table: &Table,
    text: Text<'_>,
    mut at: usize,
    near: impl Fn(usize, usize) -> bool,
    mut found: impl FnMut(Match),
) -> usize {
    let mut compared = Compared::default();
    loop {
        at = table.candidate(text.bytes, at);
        if at >= text.bytes.len() {
            return text.bytes.len();
        }
        match table.judge(text, at, &mut compared, |len| near(at, len)) {
            Verdict::No => {}
            Verdict::Open => return at,
            Verdict::Hit { len, secret } => {
                let alike = table.alike(text.bytes, at);
                let whole = alike - 1 + len;
                let (places, len) = if near(at, whole) { (alike, whole) } else { (1, len) };
                found(Match { start: at, len, secret });
                at += places - 1;
            }
        }
        at += 1;
    }
}
