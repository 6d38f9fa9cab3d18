//! Texts that must be known before the run.

use doppio_secrets::naming;
use doppio_text::Diagnostic;
use doppio_text::SUGGESTED;

use crate::plan::Inputs;
use crate::plan::variables::Named;
use crate::plan::variables::Variables;
use crate::plan::variables::undefined;
use crate::step::Part;
use crate::step::Reference;
use crate::step::Template;

/// A text in which only variables and the environment may stand, and must be known now.
pub(in crate::plan) fn fixed_text(
    template: &Template,
    field: &str,
    variables: &Variables,
    inputs: &Inputs<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Option<String> {
    let mut whole = String::new();
    for part in &template.parts {
        let (reference, span) = match part {
            Part::Text(text) => {
                whole.push_str(text);
                continue;
            }
            Part::Reference(reference, span) => (reference, span),
        };
        let value = match variables.variable_name(reference).map(|(name, _)| (name, variables.look_up(name)))
        {
            Some((_, Named::Value([]))) => Some(String::new()),
            Some((_, Named::Value([Part::Text(text)]))) => Some(text.clone()),
            Some((name, Named::Undefined)) => {
                faults.push(undefined(variables, name, span.clone(), faults.len() < SUGGESTED));
                return None;
            }
            Some((_, Named::Unread)) => return None,
            None if *reference == Reference::Target => inputs.target.map(ToString::to_string),
            None => match reference {
                Reference::Env(name)
                    if !naming::is_secret_variable(name.as_str(), inputs.env.text(name.as_str())) =>
                {
                    inputs.env.text(name.as_str()).map(str::to_owned)
                }
                _ => None,
            },
            Some(_) => None,
        };
        let Some(value) = value else {
            let message = format!("{field} must be known before the run, and `${{{reference}}}` is not");
            faults.push(Diagnostic::error("plan::not-fixed", message, span.clone()));
            return None;
        };
        whole.push_str(&value);
    }
    Some(whole)
}
