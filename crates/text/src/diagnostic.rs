//! A fault in a text as plain data; `ui::report` draws it.

use serde::Serialize;

use crate::Span;

/// The number of faults of one text that are worth reporting.
pub const ENOUGH: usize = 1000;

/// Names that were probably meant are looked for in so many faults: more are not drawn.
pub const SUGGESTED: usize = 60;

/// Whether those who look for faults may stop. Warnings alone are never enough: an error that is
/// not noted would be missed.
pub fn has_enough(faults: &[Diagnostic]) -> bool {
    faults.len() > ENOUGH && faults.iter().filter(|fault| fault.severity == Severity::Error).count() > ENOUGH
}

/// Notes a fault, unless there are enough.
pub fn note(faults: &mut Vec<Diagnostic>, fault: Diagnostic) {
    let is_needed = match fault.severity {
        Severity::Error => !has_enough(faults),
        Severity::Warning => faults.len() <= ENOUGH,
    };
    if is_needed {
        faults.push(fault);
    }
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The text can't be used.
    Error,
    /// The text can be used, but probably does not do what was meant.
    Warning,
}

/// A location and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where, as byte offsets.
    pub span: Span,
    /// A few words drawn beside the location; may be empty.
    pub text: String,
}

/// A replacement that would fix the fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What to replace, as byte offsets.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// One fault: what, where, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for machines, as in `recipe::unknown-key`.
    pub code: &'static str,
    /// One line: lowercase, no full stop, names in backticks.
    pub message: String,
    /// The location that is at fault.
    pub primary: Label,
    /// Other locations that explain it.
    pub others: Vec<Label>,
    /// What to do, in words.
    pub help: Option<String>,
    /// What to do, as an edit.
    pub edit: Option<Edit>,
}

impl Diagnostic {
    /// An error at one location, without a label or help.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            primary: Label { span, text: String::new() },
            others: Vec::new(),
            help: None,
            edit: None,
        }
    }

    /// The same, as a warning.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, span) }
    }

    /// Puts a few words beside the primary location.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another location.
    #[must_use]
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Offers a replacement.
    #[must_use]
    pub fn edit(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.edit = Some(Edit { span, replacement: replacement.into() });
        self
    }
}
