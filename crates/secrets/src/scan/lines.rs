//! Lines and columns of places.

/// How many lines end in `text`.
pub(super) fn ends(text: &[u8]) -> u64 {
    // In pieces that can be counted in bytes, so that many are done at once.
    text.chunks(255)
        .map(|chunk| u64::from(chunk.iter().fold(0_u8, |count, &byte| count + u8::from(byte == b'\n'))))
        .sum()
}

/// Walks through a text and says the line and the column of each offset, in order.
pub(super) struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    /// Ends of lines before `at`.
    ends: u64,
    /// Where the line of `at` began, from the start of the text; before it, what stands before
    /// the text.
    before: u64,
    start: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Over a text that has `ends` ends of lines and, since the last of them, `before` bytes
    /// before it.
    pub(super) fn new(text: &'a [u8], ends: u64, before: u64) -> Self {
        Self { text, at: 0, ends, before, start: None }
    }

    /// Both counted from 1. No offset may stand before the one that was asked for last.
    pub(super) fn to(&mut self, place: usize) -> (u64, u64) {
        let passed = &self.text[self.at..place];
        let found = ends(passed);
        if found > 0 {
            self.ends += found;
            let last = passed.iter().rposition(|&byte| byte == b'\n').expect("one was counted");
            self.start = Some(self.at + last + 1);
        }
        self.at = place;
        let column = match self.start {
            Some(start) => (place - start) as u64,
            None => self.before + place as u64,
        };
        (self.ends + 1, column + 1)
    }
}

/// The line around an offset, without its end.
pub(super) fn around(text: &[u8], place: usize) -> &[u8] {
    let start = text[..place].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let end = text[place..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |at| place + at);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_lines_and_columns() {
        let text = b"ab\ncd\n\nef";
        let mut walk = Walk::new(text, 10, 5);
        let found: Vec<(u64, u64)> = (0..text.len()).map(|place| walk.to(place)).collect();
        let expected = [(11, 6), (11, 7), (11, 8), (12, 1), (12, 2), (12, 3), (13, 1), (14, 1), (14, 2)];
        assert_eq!(found, expected);
        assert_eq!(Walk::new(text, 0, 0).to(8), (4, 2));
        assert_eq!(ends(&b"\n".repeat(1000)), 1000);
        assert_eq!(around(text, 4), b"cd");
        assert_eq!(around(text, 8), b"ef");
        assert_eq!(around(text, 6), b"");
    }
}
