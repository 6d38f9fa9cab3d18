//! The names of an expression: what each stands for, and as what it is taken.

use std::fmt::Write;

use minijinja::Value as Jinja;
use serde::Deserialize;
use serde::Serialize;

use doppio_text::Span;
use doppio_text::name::HostId;

use crate::plan::fields::Resolver;
use crate::plan::when::tokens::Kind;
use crate::plan::when::tokens::Token;
use crate::step::HostFact;
use crate::step::Part;
use crate::step::Reference;
use crate::step::StepError;
use crate::step::StepField;
use crate::step::Template;
use crate::step::Text;
use crate::step::TextPart;
use crate::step::Values;

/// Texts that mean false.
const NO: [&str; 5] = ["", "false", "0", "no", "off"];

/// What is known of the step's host.
pub(super) type Facts<'a> = &'a dyn Fn(HostFact) -> Option<String>;

/// A name of an expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Operand {
    /// As the expression writes it.
    written: String,
    /// What it stands for, as far as that is known.
    value: Text,
    role: Role,
}

/// As what a value is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    /// Text.
    Text,
    /// A number where it reads like one.
    Number,
    /// A number, or the expression has no meaning.
    Ordered,
    /// Yes or no.
    Flag,
}

/// Replaces each name by a placeholder, and looks it up.
pub(super) fn take(
    text: &str,
    tokens: &[Token],
    mut look_up: impl FnMut(&Reference, usize, usize) -> Text,
) -> (String, Vec<Operand>) {
    let mut rewritten = String::new();
    let mut operands = Vec::new();
    let mut at = 0;
    for (index, token) in tokens.iter().enumerate() {
        let Kind::Name(name) = &token.kind else { continue };
        rewritten.push_str(&text[at..token.start]);
        write!(rewritten, "_{}", operands.len()).ok();
        at = token.end;
        operands.push(Operand {
            written: text[token.start..token.end].to_owned(),
            value: look_up(name, token.start, token.end),
            role: role(tokens, index),
        });
    }
    rewritten.push_str(&text[at..]);
    (rewritten, operands)
}

/// The context decides: a name that stands alone is a flag, one that is compared with a number is a
/// number.
fn role(tokens: &[Token], index: usize) -> Role {
    let (mut left, mut right) = (index, index);
    while left > 0
        && right + 1 < tokens.len()
        && tokens[left - 1].kind == Kind::Open
        && tokens[right + 1].kind == Kind::Close
    {
        left -= 1;
        right += 1;
    }
    let before = left.checked_sub(1).map(|at| &tokens[at].kind);
    let after = tokens.get(right + 1).map(|token| &token.kind);
    let beyond = |step: usize| tokens.get(right + 1 + step).map(|token| &token.kind);
    let behind = left.checked_sub(2).map(|at| &tokens[at].kind);
    if before == Some(&Kind::Order) || after == Some(&Kind::Order) {
        return Role::Ordered;
    }
    let is_number = |kind: Option<&Kind>| {
        matches!(kind, Some(Kind::Number | Kind::Name(Reference::Step { field: StepField::ExitCode, .. })))
    };
    let others = match (before, after) {
        (Some(Kind::Equal), _) => [behind, None],
        (_, Some(Kind::Equal)) => [beyond(1), beyond(2).filter(|_| beyond(1) == Some(&Kind::Other))],
        (_, Some(Kind::In)) => [beyond(2), None],
        (_, Some(Kind::Logic)) if beyond(1) == Some(&Kind::In) => [beyond(3), None],
        (Some(Kind::In | Kind::Other), _) => return Role::Text,
        _ => return Role::Flag,
    };
    if others.iter().any(|kind| is_number(*kind))
        || matches!(tokens[index].kind, Kind::Name(Reference::Step { field: StepField::ExitCode, .. }))
    {
        return Role::Number;
    }
    if others.contains(&Some(&Kind::Constant)) { Role::Flag } else { Role::Text }
}

/// What a name stands for; faults go to the resolver.
pub(super) fn look_up(name: &Reference, resolver: &mut Resolver<'_>, node: usize, span: &Span) -> Text {
    let parts = vec![Part::Reference(name.clone(), span.clone())];
    resolver.plain(node, &Template { parts, span: span.clone(), ..Template::default() }, "when")
}

impl Operand {
    /// What it asks of the host, if it does.
    pub(super) fn fact(&self) -> Option<HostFact> {
        match &self.value.parts[..] {
            [TextPart::Reference(Reference::HostFact(fact))] => Some(*fact),
            _ => None,
        }
    }

    /// The value at the moment of asking.
    pub(super) fn value(
        &self,
        values: &Values,
        host: Option<&HostId>,
        facts: Facts<'_>,
    ) -> Result<Jinja, String> {
        if let Some(fact) = self.fact() {
            let value = facts(fact).ok_or_else(|| format!("`{}` is not known", self.written))?;
            return self.taken(value);
        }
        if let [TextPart::Reference(Reference::Step { id, field: StepField::ExitCode })] =
            &self.value.parts[..]
            && values.steps.get(id).is_some_and(|result| result.exit_code.is_none())
            && self.role != Role::Ordered
        {
            return Ok(Jinja::from(()));
        }
        let refused = |_: &Reference| StepError::failed(format!("`{}` is secret", self.written));
        let text = values.fill(&self.value, host, refused).map_err(|error| error.to_string())?;
        self.taken(text)
    }

    fn taken(&self, text: String) -> Result<Jinja, String> {
        let number = || {
            let text = text.trim();
            text.parse::<i64>()
                .map(Jinja::from)
                .ok()
                .or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Jinja::from))
        };
        match self.role {
            Role::Text => Ok(Jinja::from(text)),
            Role::Flag => Ok(Jinja::from(is_yes(&text))),
            Role::Number => Ok(number().unwrap_or_else(|| Jinja::from(text.clone()))),
            Role::Ordered => {
                number().ok_or_else(|| format!("`{}` is `{text}`, which is not a number", self.written))
            }
        }
    }
}

/// What a text means as a boolean.
pub(super) fn is_yes(text: &str) -> bool {
    !NO.contains(&text.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::when::tokens::tokens;

    fn roles(text: &str) -> Vec<Role> {
        let tokens = tokens(text).unwrap();
        take(text, &tokens, |_, _, _| Text::default()).1.iter().map(|operand| operand.role).collect()
    }

    #[test]
    fn the_neighbours_decide_as_what_a_name_is_taken() {
        assert_eq!(roles("debug"), [Role::Flag]);
        assert_eq!(roles("not debug and (dry)"), [Role::Flag, Role::Flag]);
        assert_eq!(roles("mode == 'full' or 'x' != mode"), [Role::Text, Role::Text]);
        assert_eq!(roles("epochs == 3 and -3 == epochs"), [Role::Number, Role::Number]);
        assert_eq!(roles("(epochs) >= 3"), [Role::Ordered]);
        assert_eq!(roles("a < b"), [Role::Ordered, Role::Ordered]);
        assert_eq!(roles("debug == true"), [Role::Flag]);
        assert_eq!(roles("mode in ['a', 'b'] and n not in [1, 2]"), [Role::Text, Role::Number]);
        assert_eq!(roles("steps.a.exit_code == code"), [Role::Number, Role::Number]);
    }
}
