//! The fields of one step's operation on their way through the resolver.

use doppio_secrets::foreign_form;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::name::EnvName;

use crate::plan::fields::Fact;
use crate::plan::fields::Resolver;
use crate::plan::fields::Travel;
use crate::plan::fields::resolver::settle;
use crate::step::Asked;
use crate::step::Mode;
use crate::step::Part;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::Template;

/// The texts of one node on their way through the resolver.
pub(in crate::plan) struct Planning<'p, 'a> {
    pub resolver: &'p mut Resolver<'a>,
    pub node: usize,
    pub kind: &'static str,
    /// What the texts send to the host.
    pub travel: &'p mut Travel,
}

impl Planner for Planning<'_, '_> {
    fn plain(&mut self, field: &str, text: &Template) -> PlainText {
        PlainText(self.resolver.plain(self.node, text, field))
    }

    fn looked_at(&mut self, field: &str, text: &Template) -> PlainText {
        let asked = self.resolver.questions.len();
        let text = self.plain(field, text);
        let mut at = 0;
        self.resolver.questions.retain(|question| {
            at += 1;
            at <= asked || !matches!(question.fact, Fact::Variable(_))
        });
        text
    }

    fn secret(&mut self, field: &str, text: &Template) -> SecretText {
        let parts = settle(self.resolver.resolve(self.node, text, Mode::Plain, field));
        self.travel.note_secrets(&parts);
        if let [Part::Text(value)] = parts.as_slice()
            && let Some(form) = foreign_form(value.as_bytes())
        {
            let message = format!("the value of `{field}` {}", form.is);
            let fault = Diagnostic::error("plan::not-a-value", message, text.span.clone()).help(form.hint);
            self.resolver.fault(fault);
        }
        SecretText(parts.into_iter().collect())
    }

    fn variable(&mut self, name: &EnvName, text: &Template) -> SecretText {
        self.travel.note_variable(name);
        self.secret(name.as_str(), text)
    }

    fn shell(&mut self, field: &str, text: &Template) -> ShellText {
        self.resolver.shell(self.node, field, text, self.travel)
    }

    fn asked(&self) -> Asked {
        self.resolver.recipe.target.asked()
    }

    fn invalid(&mut self, field: &str, span: Span, message: &str) {
        self.resolver.fault(invalid(self.kind, field, span, message));
    }

    fn fault(&mut self, fault: Diagnostic) {
        self.resolver.fault(fault);
    }
}

/// What is wrong with the value of a field.
pub(in crate::plan) fn invalid(kind: &str, field: &str, span: Span, message: &str) -> Diagnostic {
    // A regular expression's fault has a drawing between its first and its last line.
    let mut lines = message.lines().map(str::trim);
    let message = match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        (Some(first), None) => first.to_owned(),
        (None, _) => "is not valid".to_owned(),
    };
    Diagnostic::error("plan::invalid-field", format!("`{field}` of `{kind}`: {message}"), span)
}
