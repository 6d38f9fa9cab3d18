//! One way in which one secret may be printed.

use zeroize::Zeroizing;

/// What counts as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// The bytes in any case of ASCII letters.
    AnyCase,
    /// The very bytes.
    Exact,
    /// The very bytes between characters that are part of no word.
    Word,
}

/// Bytes to look for; wiped when dropped.
pub(super) struct Pattern {
    bytes: Zeroizing<Vec<u8>>,
    secret: u32,
    rule: Rule,
}

impl Pattern {
    pub(super) fn new(mut bytes: Zeroizing<Vec<u8>>, secret: u32, rule: Rule) -> Self {
        if rule == Rule::AnyCase {
            bytes.make_ascii_lowercase();
        }
        Self { bytes, secret, rule }
    }

    /// The bytes; in lower case where any case matches.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What makes two patterns the same search.
    pub(super) fn key(&self) -> (Rule, &[u8]) {
        (self.rule, &self.bytes)
    }

    /// Whose it is.
    pub(super) fn secret(&self) -> u32 {
        self.secret
    }

    pub(super) fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether `text` begins with this pattern, as far as both go.
    pub(super) fn agrees(&self, text: &[u8]) -> bool {
        let len = text.len().min(self.bytes.len());
        let (text, bytes) = (&text[..len], &self.bytes[..len]);
        match self.rule {
            Rule::AnyCase => text.eq_ignore_ascii_case(bytes),
            Rule::Exact | Rule::Word => text == bytes,
        }
    }
}
