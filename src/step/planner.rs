//! What a field asks of the plan while it is planned.

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::name::EnvName;

use crate::step::Asked;
use crate::step::PlainText;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::Template;

/// Resolves the texts of one step and takes what is wrong with them. `field` is the name of the
/// field that a text stands in.
pub trait Planner {
    /// A text in which a secret is an error.
    fn plain(&mut self, field: &str, text: &Template) -> PlainText;

    /// The same for one that is looked at whenever that is: whoever sets a variable in it need not have
    /// ended.
    fn looked_at(&mut self, field: &str, text: &Template) -> PlainText;

    /// A value that may hold secrets.
    fn secret(&mut self, field: &str, text: &Template) -> SecretText;

    /// The same for one that the host gets as this environment variable.
    fn variable(&mut self, name: &EnvName, text: &Template) -> SecretText;

    /// Shell text: its references become environment variables.
    fn shell(&mut self, field: &str, text: &Template) -> ShellText;

    /// What the recipe asks of its target.
    fn asked(&self) -> Asked;

    /// Takes what is wrong with the value of a field.
    fn invalid(&mut self, field: &str, span: Span, message: &str);

    /// Takes a fault of another kind.
    fn fault(&mut self, fault: Diagnostic);
}
