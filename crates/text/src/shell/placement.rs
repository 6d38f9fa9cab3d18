//! What becomes of each value, and why not.

/// How a value is written at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// `"${V}"`
    Quoted,
    /// `${V}`
    Plain,
    /// `'"${V}"'`
    InSingle,
    /// `'"${V}"$'`
    InAnsi,
    /// Nothing.
    Omitted,
}

impl Quoting {
    /// The text that stands for the variable.
    pub(super) fn text(self, variable: &str) -> String {
        match self {
            Self::Quoted => format!("\"${{{variable}}}\""),
            Self::Plain => format!("${{{variable}}}"),
            Self::InSingle => format!("'\"${{{variable}}}\"'"),
            Self::InAnsi => format!("'\"${{{variable}}}\"$'"),
            Self::Omitted => String::new(),
        }
    }
}

/// Why a value can't stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Arithmetic,
    Subscript,
    Backslash,
    Dollar,
    ParameterName,
    Operator,
    Replacement,
    AnsiInParameter,
    AssignedDefault,
    PatternInBody,
    QuotedDelimiter,
    VariableName,
}

impl Refusal {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Arithmetic => {
                "a value is not allowed in arithmetic: shells evaluate it there, and it could run commands"
            }
            Self::Subscript => {
                "a value is not allowed in a subscript: shells evaluate it there, and it could run commands"
            }
            Self::Backslash => "a backslash before a reference would quote its `$`",
            Self::Dollar => "a `$` before a reference would join with it",
            Self::ParameterName => "a value can't be (part of) the name of a variable in `${…}`",
            Self::Operator => "a value is not allowed at this place of a `${…}`",
            Self::Replacement => "a value is not allowed in a `${…/…/…}` within double quotes",
            Self::AnsiInParameter => "a value is not allowed in a `$'…'` within `${…}`",
            Self::AssignedDefault => {
                "a value is not allowed in an unquoted `${…=…}`: the shell would split it"
            }
            Self::PatternInBody => "a value is not allowed in a pattern of `${…}` in a here-document",
            Self::QuotedDelimiter => "a value is not allowed in a here-document whose delimiter is quoted",
            Self::VariableName => {
                "a value can't be the name of a variable: shells evaluate it there, and it could run commands"
            }
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Arithmetic | Self::Subscript => {
                "put the value in a variable first, make sure that it is a number \
                 (`case $n in '' | *[!0-9]*) exit 1 ;; esac`), and use that variable here"
            }
            Self::Backslash => "remove the backslash; `$${` is a literal `${`",
            Self::Dollar => "remove the `$`; `$${` is a literal `${`",
            Self::ParameterName | Self::VariableName => "write the name of the variable itself",
            Self::Operator | Self::Replacement | Self::PatternInBody => {
                "put the value in a variable first, and use that variable here"
            }
            Self::AnsiInParameter => "use double quotes instead of `$'…'`",
            Self::AssignedDefault => "put the whole `${…=…}` in double quotes",
            Self::QuotedDelimiter => {
                "remove the quotes from the delimiter, or pass the value with `env` and read it by that name"
            }
        }
    }
}

/// One value of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// How it is written, or why it can't be.
    pub(super) form: Result<Quoting, Refusal>,
    /// The list of commands whose word it belongs to, by number.
    pub(super) list: usize,
}

/// The values seen so far, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Placements {
    pub(super) all: Vec<Placement>,
    lists: usize,
}

impl Placements {
    /// A number for a new list.
    pub(super) fn number_list(&mut self) -> usize {
        self.lists += 1;
        self.lists
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Refuses those values among `range` that stand in a word of this list itself, rather than
    /// in a command substitution within it.
    pub(super) fn refuse(&mut self, range: std::ops::Range<usize>, list: usize, why: Refusal) {
        for placement in &mut self.all[range] {
            if placement.list == list && placement.form.is_ok() {
                placement.form = Err(why);
            }
        }
    }
}

/// Why the text as a whole can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Where, as a byte offset.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: String,
}
