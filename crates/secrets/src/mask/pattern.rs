//! One way in which one secret may be printed.

use zeroize::Zeroizing;

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

/// Bytes to look for; wiped when dropped.
pub(crate) struct Pattern {
    bytes: Zeroizing<Vec<u8>>,
    secret: u32,
    rule: Rule,
    encoding: Encoding,
}

impl Pattern {
    pub(crate) fn new(mut bytes: Zeroizing<Vec<u8>>, secret: u32, rule: Rule) -> Self {
        if rule == Rule::AnyCase {
            bytes.make_ascii_lowercase();
        }
        Self { bytes, secret, rule, encoding: Encoding::Plain }
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
        &self.bytes
    }

    /// What makes two patterns the same search.
    pub(crate) fn key(&self) -> (Rule, &[u8]) {
        (self.rule, &self.bytes)
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
        let len = text.len().min(self.bytes.len());
        let (text, bytes) = (&text[..len], &self.bytes[..len]);
        match self.rule {
            Rule::AnyCase => text.eq_ignore_ascii_case(bytes),
            Rule::Exact | Rule::Word => text == bytes,
        }
    }
}
