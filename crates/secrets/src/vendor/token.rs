//! How the tokens of a vendor look, for all that recognise one: the scan, the token heuristics, and
//! the check of a value that is stored.

use regex::bytes::Regex;

/// One kind of token.
#[derive(Debug)]
pub(crate) struct Token {
    /// What it is, for people and in the allow-list: words with hyphens.
    pub id: &'static str,
    /// How it looks.
    pub(crate) shape: Shape,
    /// What tells one from an example, besides its looks.
    pub(crate) nature: Nature,
}

/// What a secret of a kind is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Random characters.
    Random,
    /// A password, which somebody may have chosen: it counts where nothing more particular is found.
    Password,
    /// A user's name and a password in base64.
    Login,
}

/// How a token looks. Bodies and expressions are regular expressions.
#[derive(Debug)]
pub(crate) enum Shape {
    /// It begins with one of these, which says whose it is; no letter, digit, `_` or `-` follows.
    Prefixed { prefixes: &'static [&'static str], body: &'static str },
    /// It says nothing by itself: it counts where a variable of its secret is set to it.
    Bare { body: &'static str },
    /// It says nothing by itself: it counts behind one of these texts. Group 1 of the expression, which
    /// begins behind the text, is the token; `{=}` stands for a sign of assignment.
    Behind { texts: &'static [&'static str], expression: &'static str },
    /// It begins with this text, and may continue after the match.
    Block { begin: &'static str, body: &'static str },
}

impl Token {
    pub(super) const fn prefixed(
        id: &'static str,
        prefixes: &'static [&'static str],
        body: &'static str,
    ) -> Self {
        Self { id, shape: Shape::Prefixed { prefixes, body }, nature: Nature::Random }
    }

    pub(super) const fn bare(id: &'static str, body: &'static str) -> Self {
        Self { id, shape: Shape::Bare { body }, nature: Nature::Random }
    }

    pub(super) const fn behind(
        id: &'static str,
        texts: &'static [&'static str],
        expression: &'static str,
    ) -> Self {
        Self { id, shape: Shape::Behind { texts, expression }, nature: Nature::Random }
    }

    pub(super) const fn block(id: &'static str, begin: &'static str, body: &'static str) -> Self {
        Self { id, shape: Shape::Block { begin, body }, nature: Nature::Random }
    }

    /// The same of another nature.
    pub(super) const fn of(self, nature: Nature) -> Self {
        Self { nature, ..self }
    }

    /// The beginnings that say whose it is.
    pub(crate) fn prefixes(&self) -> &'static [&'static str] {
        match self.shape {
            Shape::Prefixed { prefixes, .. } => prefixes,
            _ => &[],
        }
    }

    /// Whether the value is one, as far as that can be said of a value alone.
    pub(super) fn is(&self, value: &[u8]) -> bool {
        match self.shape {
            Shape::Prefixed { prefixes, body } => {
                let rest = prefixes.iter().find_map(|prefix| value.strip_prefix(prefix.as_bytes()));
                rest.is_some_and(|rest| whole(body).is_match(rest))
            }
            Shape::Bare { body } => whole(body).is_match(value),
            Shape::Behind { .. } | Shape::Block { .. } => false,
        }
    }
}

/// The expression for a whole value.
pub(super) fn whole(expression: &str) -> Regex {
    Regex::new(&format!("(?s-u)^(?:{expression})$")).expect("the expressions are tested")
}
