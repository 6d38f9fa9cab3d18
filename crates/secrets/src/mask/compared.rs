//! What comparisons of long patterns at one place say about the next places.
//!
//! A long pattern that repeats itself would else be compared in full at each place of a text that
//! repeats itself as well: time that grows with the square of their lengths.

use crate::mask::pattern::Pattern;

/// Shorter patterns are compared as they are. In bytes.
const LONG: usize = 64;

/// What is compared at once. In bytes.
const CHUNK: usize = 1024;

/// What is known from comparisons in one text.
#[derive(Default)]
pub(super) struct Compared {
    /// Where in the text and in the pattern the last difference was: the likeliest of the next.
    in_text: usize,
    in_pattern: usize,
    /// The last pattern that was all there, and where.
    matched: Option<(usize, usize)>,
    /// After so many bytes it is known to repeat itself.
    period: usize,
}

impl Compared {
    /// Whether `text` goes on at `at` as the pattern does, as far as both go.
    pub(super) fn agrees(&mut self, (index, pattern): (usize, &Pattern), text: &[u8], at: usize) -> bool {
        let rest = &text[at..];
        let bytes = pattern.bytes();
        if bytes.len() < LONG || rest.len() < LONG {
            return pattern.agrees(rest);
        }
        let both = bytes.len().min(rest.len());
        let probes = [self.in_text.checked_sub(at), Some(self.in_pattern)];
        if probes
            .into_iter()
            .flatten()
            .any(|probe| probe < both && !pattern.agrees_at(rest, probe, probe + 1))
        {
            return false;
        }
        if let Some((known, place)) = self.matched
            && known == index
            && both == bytes.len()
            && (1..both).contains(&(at - place))
        {
            let step = at - place;
            if self.period == step || bytes[step..] == bytes[..both - step] {
                self.period = step;
                // All but the last bytes were compared there.
                let agrees = pattern.agrees_at(rest, both - step, both);
                self.matched = agrees.then_some((known, at));
                return agrees;
            }
        }
        let mut from = 0;
        while from < both {
            let to = both.min(from + CHUNK);
            if !pattern.agrees_at(rest, from, to) {
                let different = (from..to).find(|&place| !pattern.agrees_at(rest, place, place + 1));
                self.in_pattern = different.unwrap_or(from);
                self.in_text = at + self.in_pattern;
                return false;
            }
            from = to;
        }
        if both == bytes.len() {
            (self.matched, self.period) = (Some((index, at)), 0);
        }
        true
    }
}
