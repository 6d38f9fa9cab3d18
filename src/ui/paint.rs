//! Colour, where it is wanted.

/// Paints text, or leaves it as it is (`NO_COLOR`, no terminal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(
    /// Whether there is colour.
    pub bool,
);

impl Paint {
    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Text in a style by its numbers of ECMA-48's SGR.
    pub fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
