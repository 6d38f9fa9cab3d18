//! Token shapes: texts that are not stored but are secrets nevertheless.
//!
//! A literal of a vendor's row is found first, then the expression must match from there on, then
//! what it matched must look random. Tokens that say nothing by themselves count only where their
//! name stands before them.

mod likely;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use regex::bytes::Regex;

use crate::vendor;
use crate::vendor::Nature;
use crate::vendor::Shape;

use likely::is_likely;
use likely::is_login;
use likely::is_password;
use likely::is_random;

/// How far an expression is matched. In bytes.
pub(super) const REACH: usize = 16 * 1024;

/// Between the name of a token and the token: quotes, brackets, a sign of assignment.
const ASSIGN: &str = r#"(?:["'`\])},]|\\")*[ \t]*(?::=|=>|=|:|,|[ \t])[ \t]*(?:["'`(]|\\"|[ubrf]["'])*"#;

/// A token in a text.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// What it is.
    pub id: &'static str,
    /// The token itself.
    pub place: Range<usize>,
}

/// The tokens of a text that some vendor's look like, by place: where each is, and what it is.
pub fn tokens_in(text: &str) -> Vec<(Range<usize>, &'static str)> {
    static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::new);
    let found = SHAPES.search(text.as_bytes(), false).into_iter();
    let whole = found.filter(|token| text.get(token.place.clone()).is_some());
    whole.map(|token| (token.place, token.id)).collect()
}

/// A kind of token, ready to be found.
struct Kind {
    id: &'static str,
    /// From the literal's end on; group 1 is what is random in the token.
    expression: Regex,
    /// Whether the token begins with the literal; else that is a name before the token, which may be
    /// part of a longer one.
    is_begun: bool,
    /// Whether no letter, digit, `_` or `-` may follow.
    ends_word: bool,
    nature: Nature,
}

/// All shapes, ready to be found.
pub(super) struct Shapes {
    literals: AhoCorasick,
    /// Per literal, its kind of token.
    of: Vec<usize>,
    kinds: Vec<Kind>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let (mut literals, mut of, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        for (token, key) in vendor::tokens() {
            let (own, expression): (Vec<String>, String) = match token.shape {
                Shape::Prefixed { prefixes, body } => (owned(prefixes), format!("({body})")),
                Shape::Block { begin, body } => (owned(&[begin]), format!("({body})")),
                Shape::Behind { texts, expression } => (owned(texts), expression.to_owned()),
                Shape::Bare { body } => {
                    let variables =
                        key.and_then(|key| key.name.parse().ok()).map(|name| vendor::variables(&name));
                    let variables = variables.unwrap_or_default();
                    let small: Vec<String> = variables.iter().map(|name| name.to_ascii_lowercase()).collect();
                    (variables.into_iter().chain(small).collect(), format!("{{=}}({body})"))
                }
            };
            of.extend(own.iter().map(|_| kinds.len()));
            literals.extend(own);
            let expression = expression.replace("{=}", ASSIGN);
            kinds.push(Kind {
                id: token.id,
                expression: Regex::new(&format!(r"\A(?-u:{expression})"))
                    .expect("the expressions are tested"),
                is_begun: matches!(token.shape, Shape::Prefixed { .. } | Shape::Block { .. }),
                ends_word: !matches!(token.shape, Shape::Block { .. }) && token.nature == Nature::Random,
                nature: token.nature,
            });
        }
        let literals = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(literals);
        Self { literals: literals.expect("the literals are few and short"), of, kinds }
    }

    /// All tokens of a text, by place; of those that overlap the first, and a token rather than a password.
    /// In a binary file anything may stand beside one: the length of the text before it, the next column.
    pub(super) fn search(&self, text: &[u8], is_binary: bool) -> Vec<Found> {
        let (mut tokens, mut passwords): (Vec<Found>, Vec<Found>) = (Vec::new(), Vec::new());
        for found in self.literals.find_overlapping_iter(text) {
            let kind = &self.kinds[self.of[found.pattern().as_usize()]];
            let judged = kind.judge(text, found.range(), is_binary);
            let all = if kind.nature == Nature::Random { &mut tokens } else { &mut passwords };
            all.extend(judged.map(|place| Found { id: kind.id, place }));
        }
        let overlaps = |one: &Found, other: &Found| {
            one.place.start < other.place.end && other.place.start < one.place.end
        };
        passwords.retain(|password| tokens.iter().all(|token| !overlaps(password, token)));
        tokens.append(&mut passwords);
        tokens.sort_by_key(|token| (token.place.start, std::cmp::Reverse(token.place.end)));
        let mut end = 0;
        tokens.retain(|token| {
            let is_new = token.place.start >= end;
            end = end.max(token.place.end);
            is_new
        });
        tokens
    }
}

impl Kind {
    /// Where the token is that begins with this literal, or stands behind it.
    fn judge(&self, text: &[u8], literal: Range<usize>, is_binary: bool) -> Option<Range<usize>> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let before = literal.start.checked_sub(1).map(|before| &text[before]);
        if !is_binary && self.is_begun && before.is_some_and(is_word) && !ends_escape(text, literal.start) {
            return None;
        }
        let rest = &text[literal.end..text.len().min(literal.start + REACH)];
        let body = self.expression.captures(rest)?.get(1)?;
        let body = literal.end + body.start()..literal.end + body.end();
        let next = text.get(body.end);
        if !is_binary && self.ends_word && next.is_some_and(|byte| is_word(byte) || *byte == b'-') {
            return None;
        }
        match self.nature {
            Nature::Random => {}
            Nature::Password => return is_password(&text[body.clone()]).then_some(body),
            Nature::Login => return is_login(&text[body.clone()]).then_some(body),
        }
        let place = if self.is_begun { literal.start..body.end } else { body.clone() };
        if self.ends_word {
            return is_likely(&text[place.clone()], &text[body]).then_some(place);
        }
        // A block begins with a header that all of its kind have: one of OpenSSH's has nine `A` in a row,
        // as only examples have. And what stands around its lines is not random.
        let half = &text[body.start.midpoint(body.end)..body.end];
        let letters: Vec<u8> = half.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        is_random(&letters).then_some(place)
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Whether the letter before `at` is that of an escape, as in `\n`.
fn ends_escape(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b'r' | b't')
}

#[cfg(test)]
mod tests;
