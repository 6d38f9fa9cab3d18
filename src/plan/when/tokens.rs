//! The words of an expression.

use doppio_text::name::InvalidName;

use crate::step::HostFact;
use crate::step::Reference;
use crate::step::StepField;

/// A word and where it begins and ends in the expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Something that has a value.
    Name(Reference),
    /// `true`, `false`, `none`.
    Constant,
    /// A number.
    Number,
    /// A string in quotes.
    Text,
    /// `<`, `<=`, `>`, `>=`.
    Order,
    /// `==`, `!=`.
    Equal,
    /// `in`.
    In,
    /// `and`, `or`, `not`.
    Logic,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `[`, `]`, `,`, and a sign.
    Other,
}

/// What is wrong with an expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpressionError {
    pub start: usize,
    pub end: usize,
    pub message: String,
    pub help: Option<String>,
}

impl ExpressionError {
    fn new(start: usize, end: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { start, end, message: message.into(), help: Some(help.into()) }
    }
}

/// Cuts an expression into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = match first {
            '"' | '\'' => (Kind::Text, string_length(rest).ok_or_else(|| {
                ExpressionError::new(at, text.len(), "the string is not closed", format!("close it with `{first}`"))
            })?),
            '0'..='9' => (Kind::Number, rest.find(|c: char| !is_number(c)).unwrap_or(rest.len())),
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let (kind, length) = word(rest, length).map_err(|fault| ExpressionError {
                    start: at + fault.start,
                    end: at + fault.end,
                    ..fault
                })?;
                (kind, length)
            }
            _ => symbol(rest).ok_or_else(|| {
                let message = format!("`{first}` has no meaning in an expression");
                let help = match first {
                    '=' => "compare with `==`",
                    '&' => "write `and`",
                    '|' => "write `or`; there are no filters",
                    '!' => "write `not`",
                    _ => "an expression has names, strings, numbers, `== != < > <= >=`, `in`, `and`, `or`, `not` and parentheses",
                };
                ExpressionError::new(at, at + first.len_utf8(), message, help)
            })?,
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    Ok(tokens)
}

fn is_number(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '_'
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn symbol(rest: &str) -> Option<(Kind, usize)> {
    let pairs = [("==", Kind::Equal), ("!=", Kind::Equal), ("<=", Kind::Order), (">=", Kind::Order)];
    if let Some((_, kind)) = pairs.into_iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Some((kind, 2));
    }
    let kind = match rest.as_bytes()[0] {
        b'<' | b'>' => Kind::Order,
        b'(' => Kind::Open,
        b')' => Kind::Close,
        b'[' | b']' | b',' | b'-' => Kind::Other,
        _ => return None,
    };
    Some((kind, 1))
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &str) -> Option<usize> {
    let quote = text.as_bytes()[0];
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == quote {
            return Some(at + 1);
        }
    }
    None
}

fn word(rest: &str, length: usize) -> Result<(Kind, usize), ExpressionError> {
    const HELP: &str =
        "write `steps.ID.status`, `steps.ID.exit_code`, `steps.ID.output`, `env.NAME` or `matrix.NAME`";
    let head = &rest[..length];
    let after = rest[length..].strip_prefix('.');
    match (head, after) {
        ("and" | "or" | "not", None) => Ok((Kind::Logic, length)),
        ("in", None) => Ok((Kind::In, length)),
        ("is" | "if" | "else", None) => Err(ExpressionError::new(
            0,
            length,
            format!("`{head}` has no meaning in an expression"),
            "compare with `==`, and join with `and`, `or`, `not`",
        )),
        ("true" | "false" | "none" | "True" | "False" | "None", None) => Ok((Kind::Constant, length)),
        ("target", None) => Ok((Kind::Name(Reference::Target), length)),
        ("host", None) => Ok((Kind::Name(Reference::Host), length)),
        ("host", Some(after)) => host(after, length + 1),
        ("steps" | "step", Some(after)) => step(rest, after, length + 1),
        (_, None) => Ok((Kind::Name(Reference::Variable { name: head.to_owned(), quoted: false }), length)),
        (_, Some(after)) => {
            let end = after.find(|c: char| !is_word(c) && c != '-').unwrap_or(after.len());
            let member = &after[..end];
            let length = length + 1 + end;
            let name = match head {
                "env" => Reference::Env(member.parse().map_err(|error| invalid(&error, length, HELP))?),
                "matrix" => Reference::Matrix(member.to_owned()),
                "run" if member == "id" => Reference::RunId,
                "recipe" if member == "name" => Reference::RecipeName,
                _ => {
                    let message = format!("`{head}.{member}` is not known in an expression");
                    return Err(ExpressionError::new(0, length, message, HELP));
                }
            };
            Ok((Kind::Name(name), length))
        }
    }
}

/// `host.FACT`.
fn host(after: &str, begin: usize) -> Result<(Kind, usize), ExpressionError> {
    let end = after.find(|c: char| !is_word(c) && c != '.').unwrap_or(after.len());
    let name = after[..end].trim_end_matches('.');
    let length = begin + name.len();
    match HostFact::named(name) {
        Some(fact) => Ok((Kind::Name(Reference::HostFact(fact)), length)),
        None => Err(ExpressionError::new(
            0,
            length,
            format!("a host has no `{name}`"),
            format!("write one of {}", HostFact::names()),
        )),
    }
}

/// `steps.ID.FIELD`; an id may have `-`, and an instance in brackets.
fn step(rest: &str, after: &str, begin: usize) -> Result<(Kind, usize), ExpressionError> {
    const HELP: &str = "write `steps.ID.status`, `.exit_code`, `.output`, `.stderr` or `.outputs.NAME`";
    let is_id = |c: char| is_word(c) || c == '-';
    let mut id_end = after.find(|c: char| !is_id(c)).unwrap_or(after.len());
    if after[id_end..].starts_with('[')
        && let Some(close) = after[id_end..].find("].")
    {
        id_end += close + 1;
    }
    let id = &after[..id_end];
    let Some(field) = after[id_end..].strip_prefix('.') else {
        let message = format!("`steps.{id}` does not say which of the step's results");
        return Err(ExpressionError::new(0, begin + id_end, message, HELP));
    };
    let end = field.find(|c: char| !is_word(c) && c != '.').unwrap_or(field.len());
    let length = begin + id_end + 1 + end;
    let field = match field[..end].split_once('.').unwrap_or((&field[..end], "")) {
        ("status", "") => StepField::Status,
        ("exit_code", "") => StepField::ExitCode,
        ("output" | "stdout", "") => StepField::Stdout,
        ("stderr", "") => StepField::Stderr,
        ("outputs", name) if !name.is_empty() => StepField::Output(name.to_owned()),
        _ => {
            return Err(ExpressionError::new(0, length, format!("a step has no `{}`", &field[..end]), HELP));
        }
    };
    debug_assert!(rest.is_char_boundary(length));
    let id = id.parse().map_err(|error| invalid(&error, length, HELP))?;
    Ok((Kind::Name(Reference::Step { id, field }), length))
}

fn invalid(error: &InvalidName, length: usize, help: &str) -> ExpressionError {
    ExpressionError::new(0, length, error.to_string(), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let kinds = tokens(text).unwrap().into_iter().map(|token| token.kind);
        kinds
            .filter_map(|kind| if let Kind::Name(name) = kind { Some(name.to_string()) } else { None })
            .collect()
    }

    #[test]
    fn names_are_found() {
        assert_eq!(
            names("steps.pre-train.status == 'success' and env.CI"),
            ["step.pre-train.status", "env.CI"]
        );
        assert_eq!(names("steps.train[lr=1e-3].outputs.loss < 3"), ["step.train[lr=1e-3].outputs.loss"]);
        assert_eq!(names("not 'x' in mode"), ["mode"]);
        assert_eq!(names("host.gpus.count>=8 and host != 'a'"), ["host.gpus.count", "host"]);
    }

    #[test]
    fn what_has_no_meaning_is_said_with_its_location() {
        let fault = tokens("a = b").unwrap_err();
        assert_eq!((fault.start, fault.end), (2, 3));
        assert_eq!(fault.help.as_deref(), Some("compare with `==`"));
        assert!(tokens("'open").is_err());
        assert!(tokens("x | upper").is_err());
        assert!(tokens("steps.a").is_err());
        assert!(tokens("steps..status").is_err());
        assert!(tokens("env.A-B").is_err());
        assert_eq!(tokens("host.gpus.count.x").unwrap_err().message, "a host has no `gpus.count.x`");
        assert!(tokens("ü").is_err());
    }
}
