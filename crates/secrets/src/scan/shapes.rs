//! Token shapes: texts that are not stored but are secrets nevertheless.
//!
//! A literal is found first, then the expression must match from there on, then what it matched
//! must look random. Tokens that are nothing but digits of a length count only where their name
//! stands before them.

mod likely;
mod table;

use std::ops::Range;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use regex::bytes::Regex;

pub use table::Shape;

use likely::is_likely;
use table::SHAPES;

/// How far an expression is matched. In bytes.
pub(super) const REACH: usize = 16 * 1024;

/// Between the name of a token and the token: quotes, brackets, a sign of assignment.
const ASSIGN: &str = r#"(?:["'`\])},]|\\")*[ \t]*(?::=|=>|=|:|,|[ \t])[ \t]*(?:["'`(]|\\"|[ubrf]["'])*"#;

/// A place of a token in a text.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub shape: &'static Shape,
    /// The token itself.
    pub place: Range<usize>,
}

/// All shapes, ready to be found.
pub(super) struct Shapes {
    literals: AhoCorasick,
    /// Per literal, its shape.
    of: Vec<usize>,
    expressions: Vec<Regex>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let mut literals = Vec::new();
        let mut of = Vec::new();
        for (index, shape) in SHAPES.iter().enumerate() {
            for literal in shape.literals {
                literals.push(*literal);
                of.push(index);
            }
        }
        let expression = |shape: &Shape| {
            let text = shape.expression.replace("{=}", ASSIGN);
            Regex::new(&format!(r"\A(?-u:{text})")).expect("the expressions are tested")
        };
        Self {
            literals: AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .build(literals)
                .expect("the literals are few and short"),
            of,
            expressions: SHAPES.iter().map(expression).collect(),
        }
    }

    /// All tokens of a text, by place; of those that overlap the first.
    pub(super) fn search(&self, text: &[u8]) -> Vec<Token> {
        let mut tokens: Vec<Token> = Vec::new();
        for found in self.literals.find_overlapping_iter(text) {
            let index = self.of[found.pattern().as_usize()];
            if let Some(place) = self.judge(index, text, found.start()) {
                tokens.push(Token { shape: &SHAPES[index], place });
            }
        }
        tokens.sort_by_key(|token| (token.place.start, std::cmp::Reverse(token.place.end)));
        let mut end = 0;
        tokens.retain(|token| {
            let is_new = token.place.start >= end;
            end = end.max(token.place.end);
            is_new
        });
        tokens
    }

    /// Where the token is that begins, or whose name begins, at `at`.
    fn judge(&self, index: usize, text: &[u8], at: usize) -> Option<Range<usize>> {
        let shape = &SHAPES[index];
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let before = at.checked_sub(1).map(|before| text[before]);
        if !shape.is_named && before.is_some_and(|byte| is_word(byte) && !ends_escape(text, at)) {
            return None;
        }
        let rest = &text[at..text.len().min(at + REACH)];
        let found = self.expressions[index].captures(rest)?;
        let token = found.get(1)?;
        let next = rest.get(token.end()).copied();
        if shape.ends_word && next.is_some_and(|byte| is_word(byte) || byte == b'-') {
            return None;
        }
        is_likely(token.as_bytes(), shape.body(token.as_bytes()))
            .then(|| at + token.start()..at + token.end())
    }
}

/// Whether the letter before `at` is that of an escape, as in `\n`.
fn ends_escape(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b'r' | b't')
}

#[cfg(test)]
mod tests;
