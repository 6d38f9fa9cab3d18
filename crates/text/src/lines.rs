//! Where the lines of a text begin: for looking up many locations in a long text.

/// The offsets at which lines begin.
#[derive(Debug, Clone)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect())
    }

    /// The line that an offset is on, counted from 0.
    pub fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) - 1
    }

    /// Where a line begins.
    pub fn start(&self, line: usize) -> usize {
        self.0[line]
    }

    /// Where a line ends, its newline not included.
    pub fn end(&self, line: usize, text: &str) -> usize {
        self.0.get(line + 1).map_or(text.len(), |next| next - 1)
    }

    /// Line and column of an offset, both counted from 1, the column in characters.
    pub fn line_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let end = text.floor_char_boundary(offset);
        let start = self.start(line).min(end);
        (line + 1, text[start..end].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found() {
        let text = "ab\nçd\n";
        let lines = Lines::new(text);
        assert_eq!(lines.line_column(text, 0), (1, 1));
        assert_eq!(lines.line_column(text, 5), (2, 2));
        assert_eq!(lines.line_column(text, 99), (3, 1));
        assert_eq!((lines.start(1), lines.end(1, text)), (3, 6));
    }
}
