//! Lists of commands: just enough of the grammar to know where a `)` ends a list and where it
//! ends a pattern of `case`, and which words a shell evaluates rather than takes as they are.

use crate::shell::placement::Placements;
use crate::shell::placement::Refusal;
use crate::shell::word::Word;

/// What kind of list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    /// A whole text, or what stands between backquotes.
    Whole,
    /// `$(…)`
    Substitution,
    /// `<(…)` or `>(…)`
    Process,
    /// `(…)`
    Subshell,
    /// `name=(…)`: words that are not commands, as in the next two.
    Array,
    /// `@(…)` and the like.
    Glob,
    /// `(…)` within `[[ … ]]`.
    Test,
}

impl ListKind {
    fn holds_commands(self) -> bool {
        matches!(self, Self::Whole | Self::Substitution | Self::Process | Self::Subshell)
    }
}

/// Where in a `case` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// Before the word.
    Subject,
    /// Before `in`.
    In,
    /// In a pattern, or before the first or next one.
    Pattern { start: bool },
    /// In the commands of a pattern.
    Commands,
}

/// The command that the words belong to, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Other,
    /// `for` and `select`, before `do`.
    For,
    /// `function`, before its name.
    Function,
    /// `[[`
    Test,
    /// `let`
    Let,
    /// `declare` and its kin; with `-i` every value is evaluated.
    Declare {
        integer: bool,
    },
    /// `unset`
    Unset,
    /// `read`
    Read,
    /// `[`, `test` and `printf`, whose `-v` takes a name.
    NameAfterV,
}

/// What the next word can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A reserved word, or a command.
    Reserved,
    /// A command.
    Command,
    /// An argument, or a word of a list that holds no commands.
    Argument,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) kind: ListKind,
    pub(super) cases: Vec<Case>,
    /// Its own number.
    pub(super) number: usize,
    /// The number of the list whose newlines end the lines of its here-documents.
    pub(super) scope: usize,
    /// The word that is being read.
    pub(super) word: Word,
    /// The next word is the target of a redirection.
    pub(super) redirect: bool,
    next: Next,
    command: Command,
    last: Vec<u8>,
    last_values: std::ops::Range<usize>,
}

impl List {
    pub(super) fn new(kind: ListKind, number: usize, scope: usize) -> Self {
        Self {
            kind,
            cases: Vec::new(),
            number,
            scope,
            word: Word::new(),
            redirect: false,
            next: if kind.holds_commands() { Next::Reserved } else { Next::Argument },
            command: if kind == ListKind::Test { Command::Test } else { Command::Other },
            last: Vec::new(),
            last_values: 0..0,
        }
    }

    /// Within `[[ … ]]`.
    pub(super) fn is_test(&self) -> bool {
        self.command == Command::Test
    }

    /// Whether `((` would begin arithmetic here.
    pub(super) fn may_begin_arithmetic(&self) -> bool {
        self.next == Next::Reserved || (self.command == Command::For && self.last.is_empty())
    }

    /// Whether a `(` here only decorates a pattern of `case`.
    pub(super) fn is_before_pattern(&self) -> bool {
        self.cases.last() == Some(&Case::Pattern { start: true }) && !self.word.begun
    }

    /// Whether the word so far is a `!` alone.
    pub(super) fn is_bang(&self) -> bool {
        self.word.literal() == b"!"
    }

    /// An unquoted byte of a word.
    pub(super) fn push(&mut self, byte: u8, placed: &Placements) {
        self.word.push(byte, self.kind == ListKind::Array, placed);
    }

    /// Forgets a word that turned out to be the number of a file descriptor.
    pub(super) fn forget_descriptor(&mut self) {
        let literal = self.word.literal();
        let is_number = literal.iter().all(u8::is_ascii_digit);
        let is_variable = literal.starts_with(b"{") && literal.ends_with(b"}");
        if !literal.is_empty() && (is_number || is_variable) {
            self.word.begun = false;
        }
    }

    /// A separator: a new command may begin.
    pub(super) fn end_command(&mut self) {
        self.redirect = false;
        if self.kind.holds_commands() && self.command != Command::Test {
            self.begin_command();
        }
    }

    /// A compound command is over, or a reserved word was read.
    pub(super) fn begin_command(&mut self) {
        self.next = Next::Reserved;
        self.command = Command::Other;
        self.last.clear();
        self.last_values = 0..0;
    }

    /// The word is over, if there is one.
    pub(super) fn end_word(&mut self, placed: &mut Placements) {
        if !self.word.begun {
            return;
        }
        let literal = self.word.literal().to_owned();
        self.word.begun = false;
        if std::mem::take(&mut self.redirect) {
            return;
        }
        match self.cases.last_mut() {
            Some(case @ Case::Subject) => *case = Case::In,
            Some(case @ Case::In) => {
                if literal == b"in" {
                    *case = Case::Pattern { start: true };
                }
            }
            Some(Case::Pattern { start: true }) if literal == b"esac" => {
                self.cases.pop();
                self.begin_command();
            }
            Some(Case::Pattern { start }) => *start = false,
            Some(Case::Commands) | None if self.next != Next::Argument => self.command_word(&literal),
            Some(Case::Commands) | None => self.argument(literal, placed),
        }
    }

    /// A word where a command's name or a reserved word may stand.
    fn command_word(&mut self, literal: &[u8]) {
        let may_be_reserved = self.next == Next::Reserved;
        if may_be_reserved {
            match literal {
                b"case" => {
                    self.cases.push(Case::Subject);
                    return;
                }
                b"esac" => {
                    self.cases.pop();
                    return self.begin_command();
                }
                b"if" | b"then" | b"else" | b"elif" | b"fi" | b"do" | b"done" | b"while" | b"until"
                | b"!" | b"{" | b"}" | b"time" | b"coproc" => return self.begin_command(),
                _ => {}
            }
        }
        let is_assignment =
            self.word.after_equals == Some(self.word.first_value) && !literal.starts_with(b"=");
        if is_assignment || literal == b"command" || literal == b"builtin" {
            self.next = Next::Command;
            return;
        }
        self.next = Next::Argument;
        self.last.clear();
        self.last_values = 0..0;
        self.command = match literal {
            b"for" | b"select" if may_be_reserved => Command::For,
            b"function" if may_be_reserved => Command::Function,
            b"[[" if may_be_reserved => Command::Test,
            b"let" => Command::Let,
            b"declare" | b"typeset" | b"local" | b"export" | b"readonly" => {
                Command::Declare { integer: false }
            }
            b"unset" => Command::Unset,
            b"read" => Command::Read,
            b"[" | b"test" | b"printf" => Command::NameAfterV,
            _ => Command::Other,
        };
    }

    /// A word after the command's name.
    fn argument(&mut self, literal: Vec<u8>, placed: &mut Placements) {
        let values = self.word.first_value..placed.len();
        let refused = match self.command {
            Command::For if literal == b"do" || literal == b"{" => return self.begin_command(),
            Command::Function => return self.begin_command(),
            Command::Test if literal == b"]]" && self.kind.holds_commands() => return self.begin_command(),
            Command::Test => return self.test_word(literal, values, placed),
            Command::Let | Command::Declare { integer: true } => Some((values.clone(), Refusal::Arithmetic)),
            Command::Declare { .. } => {
                if literal.starts_with(b"-") && literal.contains(&b'i') {
                    self.command = Command::Declare { integer: true };
                }
                let end = self.word.after_equals.unwrap_or(values.end);
                Some((values.start..end, Refusal::VariableName))
            }
            Command::Unset => Some((values.clone(), Refusal::VariableName)),
            Command::Read if !takes_text(&self.last) => Some((values.clone(), Refusal::VariableName)),
            Command::NameAfterV if self.last == b"-v" => Some((values.clone(), Refusal::VariableName)),
            Command::Read | Command::NameAfterV | Command::Other | Command::For => None,
        };
        if let Some((values, why)) = refused {
            placed.refuse(values, self.number, why);
        }
        self.last = literal;
        self.last_values = values;
    }

    /// A word of `[[ … ]]`: the operands of `-eq` and its kin are arithmetic, that of `-v` is a
    /// name.
    fn test_word(&mut self, literal: Vec<u8>, values: std::ops::Range<usize>, placed: &mut Placements) {
        if is_comparison(&literal) {
            placed.refuse(self.last_values.clone(), self.number, Refusal::Arithmetic);
        } else if is_comparison(&self.last) {
            placed.refuse(values.clone(), self.number, Refusal::Arithmetic);
        } else if self.last == b"-v" {
            placed.refuse(values.clone(), self.number, Refusal::VariableName);
        }
        self.last = literal;
        self.last_values = values;
    }
}

/// Whether `[[` compares numbers with this word.
fn is_comparison(word: &[u8]) -> bool {
    matches!(word, b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge")
}

/// Whether this option of `read` takes a text, as `-p` does.
fn takes_text(option: &[u8]) -> bool {
    option.starts_with(b"-") && option.last().is_some_and(|letter| b"pditnNu".contains(letter))
}
