//! What is open at a place of a shell text.

use crate::shell::list::List;
use crate::shell::list::ListKind;

/// Something that was opened and waits for its end.
#[derive(Debug)]
pub(super) struct Open {
    /// Where it was opened.
    pub(super) at: usize,
    pub(super) frame: Frame,
}

#[derive(Debug)]
pub(super) enum Frame {
    /// Commands, or words that are not commands.
    List(List),
    /// `"…"`
    Double,
    /// The body of a here-document.
    Body,
    /// `${…}`
    Parameter(Parameter),
    /// `$((…))`, `((…))`, `$[…]` or a subscript, with the brackets that are open within.
    Arithmetic { end: ArithmeticEnd, open: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArithmeticEnd {
    /// `))`
    Parentheses,
    /// `]`
    Bracket,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    /// Within double quotes or the like.
    pub(super) quoted: bool,
    /// Within the body of a here-document.
    pub(super) in_body: bool,
    pub(super) part: ParameterPart,
}

/// Where in `${…}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterPart {
    /// After the name or its subscript.
    Head,
    /// After `-`, `+` or `?`.
    Word,
    /// After `=`.
    Assign,
    /// After `#`, `%`, `^` or `,`.
    Pattern,
    /// After `/`.
    Replace,
    /// After `:`, where an offset stands.
    Offset,
    /// Anything else.
    Other,
}

impl Frame {
    /// What opened it, for messages.
    pub(super) fn opening(&self) -> &'static str {
        match self {
            Self::List(list) => match list.kind {
                ListKind::Substitution => "$(",
                ListKind::Process => "<(",
                ListKind::Whole | ListKind::Subshell | ListKind::Array | ListKind::Glob | ListKind::Test => {
                    "("
                }
            },
            Self::Double => "\"",
            Self::Body => "<<",
            Self::Parameter(_) => "${",
            Self::Arithmetic { end: ArithmeticEnd::Parentheses, .. } => "((",
            Self::Arithmetic { end: ArithmeticEnd::Bracket, .. } => "[",
        }
    }
}
