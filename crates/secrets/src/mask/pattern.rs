//! One way in which one secret may be printed.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::mask::arena::Arena;

/// What counts as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// The bytes in any case of ASCII letters.
    AnyCase,
    /// The very bytes.
    Exact,
    /// The very bytes between characters that are part of no word.
    Word,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Encoding {
    /// As it is.
    #[default]
    Plain,
    /// In UTF-16.
    Utf16,
    /// In base64, at any alignment, in one of two alphabets, once or twice.
    Base64,
    /// In hexadecimal.
    Hex,
    /// As decimal numbers.
    Decimal,
    /// Percent-encoded, once or twice.
    Percent,
    /// As a string of JSON or of a programming language.
    Quoted,
    /// As a shell writes it.
    Shell,
    /// With entities of XML.
    Xml,
}

impl Encoding {
    /// The word for people and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Utf16 => "utf-16",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Decimal => "decimal",
            Self::Percent => "percent-encoded",
            Self::Quoted => "quoted",
            Self::Shell => "shell",
            Self::Xml => "xml",
        }
    }
}

/// Where the bytes of a pattern are.
enum Bytes {
    Own(Zeroizing<Vec<u8>>),
    Shared(Arc<Arena>, Range<usize>),
}

/// Bytes to look for; wiped when dropped.
pub(crate) struct Pattern {
    bytes: Bytes,
    secret: u32,
    rule: Rule,
    encoding: Encoding,
}

impl Pattern {
    pub(crate) fn new(mut bytes: Zeroizing<Vec<u8>>, secret: u32, rule: Rule) -> Self {
        if rule == Rule::AnyCase {
            bytes.make_ascii_lowercase();
        }
        Self { bytes: Bytes::Own(bytes), secret, rule, encoding: Encoding::Plain }
    }

    /// The same patterns with their bytes in one place, locked; the old places are wiped.
    pub(super) fn locked(patterns: Vec<Self>) -> Vec<Self> {
        let (arena, places) = Arena::of(patterns.iter().map(Self::bytes));
        let arena = Arc::new(arena);
        let moved = patterns.into_iter().zip(places);
        moved
            .map(|(pattern, place)| Self { bytes: Bytes::Shared(Arc::clone(&arena), place), ..pattern })
            .collect()
    }

    /// The same, as one of this encoding.
    pub(crate) fn written(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// How the value is written.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes; in lower case where any case matches.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Own(bytes) => bytes,
            Bytes::Shared(arena, place) => arena.part(place),
        }
    }

    /// What makes two patterns the same search.
    pub(crate) fn key(&self) -> (Rule, &[u8]) {
        (self.rule, self.bytes())
    }

    /// Whose it is.
    pub(crate) fn secret(&self) -> u32 {
        self.secret
    }

    pub(crate) fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether `text` begins with this pattern, as far as both go.
    pub(crate) fn agrees(&self, text: &[u8]) -> bool {
        self.agrees_at(text, 0, text.len().min(self.bytes().len()))
    }

    /// Whether this part of `text`, which both have, is the same part of the pattern.
    pub(crate) fn agrees_at(&self, text: &[u8], from: usize, to: usize) -> bool {
        let (text, bytes) = (&text[from..to], &self.bytes()[from..to]);
        match self.rule {
            Rule::AnyCase => text.eq_ignore_ascii_case(bytes),
            Rule::Exact | Rule::Word => text == bytes,
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
