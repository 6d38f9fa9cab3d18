//! What one reference stands for, as far as it is known before the run.

use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::naming;
use doppio_secrets::vendor;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;
use doppio_text::name::EnvName;
use doppio_text::name::StepId;
use doppio_text::shown;

use crate::plan::fields::Fact;
use crate::plan::fields::Question;
use crate::plan::fields::Resolver;
use crate::plan::fields::resolver::Resolved;
use crate::plan::variables::Named;
use crate::plan::variables::is_capital;
use crate::plan::variables::push;
use crate::plan::variables::undefined;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Reference;
use crate::step::StepField;

impl Resolver<'_> {
    /// A reference that no static variable stands for.
    pub(super) fn leaf(
        &mut self,
        node: usize,
        reference: &Reference,
        span: &Span,
        mode: Mode,
        field: &str,
        resolved: &mut Resolved,
    ) {
        let known = match reference {
            Reference::Secret(_) | Reference::HostFact(_) | Reference::RunId | Reference::Now => None,
            Reference::Variable { name, quoted } => {
                if let Some(text) = self.dynamic(node, name, *quoted, span, mode) {
                    push(&mut resolved.parts, &Part::Text(text), false);
                    return;
                }
                None
            }
            Reference::Step { id, field: what } => {
                let Some(id) = self.member(node, id, span) else { return };
                self.result(node, &id, what, span);
                let reference = Reference::Step { id, field: what.clone() };
                resolved.parts.push(Part::Reference(reference, span.clone()));
                return;
            }
            Reference::Env(name) => {
                if let Some(secret) = self.secret_variable(name, span) {
                    resolved.parts.push(Part::Reference(Reference::Secret(secret), span.clone()));
                    return;
                }
                self.environment(name, span)
            }
            Reference::Target => self.target(node, span),
            Reference::Host => {
                let host = self.graph.nodes[node].host.as_ref().map(ToString::to_string);
                // Else it is the host of the operation, which this very field decides.
                if host.is_none() && field == "host_id" && self.inputs.target.is_none() {
                    self.target(node, span);
                }
                host
            }
            Reference::Matrix(name) => match self.matrix(node, name, span) {
                // Text of the recipe, like a variable.
                Some(text) => {
                    push(&mut resolved.parts, &Part::Text(text), false);
                    return;
                }
                None => return,
            },
            Reference::RecipeName => Some(self.recipe.name.clone()),
        };
        if let Some(value) = known {
            resolved.fixed.insert(resolved.parts.len(), value);
        }
        resolved.parts.push(Part::Reference(reference.clone(), span.clone()));
    }

    /// A variable that is not static; text if it is left to the shell.
    fn dynamic(&mut self, node: usize, name: &str, quoted: bool, span: &Span, mode: Mode) -> Option<String> {
        match self.variables.look_up(name) {
            Named::Dynamic => {
                if !self.variables.has_value(name) {
                    let fact = Fact::Variable(name.to_owned());
                    self.questions.push(Question { node, fact, span: span.clone() });
                }
            }
            Named::Undefined if mode == Mode::Shell && is_capital(name) && !quoted => {
                return Some(format!("${{{name}}}"));
            }
            Named::Undefined if !self.has_enough() => {
                self.fault(undefined(self.variables, name, span.clone(), self.may_suggest()));
            }
            Named::Value(_) | Named::Unread | Named::Undefined => {}
        }
        None
    }

    /// A step's id with the values of this step's matrix in its brackets.
    fn member(&mut self, node: usize, id: &StepId, span: &Span) -> Option<StepId> {
        const BEGIN: &str = "${matrix.";
        let mut whole = String::new();
        let mut rest = id.as_str();
        while let Some((before, after)) = rest.split_once(BEGIN) {
            let (name, after) = after.split_once('}')?;
            whole.push_str(before);
            // As the ids of the members are made.
            whole.push_str(&shown(&self.matrix(node, name, span)?));
            rest = after;
        }
        whole.push_str(rest);
        Some(whole.parse().expect("an id with a label without control characters"))
    }

    /// `${step.ID.…}`: whether there is such a step, and whether it has such a result.
    pub(in crate::plan) fn result(&mut self, node: usize, id: &StepId, what: &StepField, span: &Span) {
        let Some(of) = self.graph.ids.get(id).copied() else {
            if !self.recipe.unread.contains(id.as_str()) && !self.has_enough() {
                let message = format!("no step is called `{id}`");
                let fault = Diagnostic::error("plan::unknown-step", message, span.clone());
                let ids = self.graph.ids.keys().filter(|_| self.may_suggest());
                let near = closest(id.as_str(), ids.map(StepId::as_str));
                self.fault(Diagnostic { help: near.map(|near| format!("did you mean `{near}`?")), ..fault });
            }
            return;
        };
        if !self.graph.nodes[of].members.is_empty() && *what != StepField::Status {
            let one = &self.graph.nodes[self.graph.nodes[of].members[0]].id;
            let message = format!("step `{id}` expands to several steps and has no output of its own");
            let fault = Diagnostic::error("plan::no-result", message, span.clone());
            self.fault(fault.help(format!("name one of them, as in `step.{one}.output`")));
            return;
        }
        self.questions.push(Question { node, fact: Fact::Result(of), span: span.clone() });
    }

    /// A variable of Doppio's environment that is known to hold a secret, as a reference to one.
    fn secret_variable(&mut self, name: &EnvName, span: &Span) -> Option<SecretRef> {
        if !naming::is_secret_variable(name.as_str(), self.inputs.env.text(name.as_str())) {
            return None;
        }
        let known = vendor::of_variable(name.as_str()).map(|key| key.name);
        let message = match known {
            Some(key) => format!("`{name}` holds a secret, {key}"),
            None => format!("`{name}` looks like a secret's variable"),
        };
        let instead = known.map_or_else(|| format!("env:{name}"), str::to_owned);
        let fault = Diagnostic::warning("plan::secret-variable", message, span.clone())
            .label("is handed over as a secret")
            .help(match known {
                Some(_) => format!("write `${{secret:{instead}}}`, which is also found in other sources"),
                None => format!("write `${{secret:{instead}}}` to say that it is one"),
            });
        self.fault(fault);
        Some(SecretRef {
            origin: Origin::Source { scheme: "env".to_owned(), path: name.to_string() },
            property: None,
            version: None,
            default: None,
        })
    }

    fn environment(&mut self, name: &EnvName, span: &Span) -> Option<String> {
        if let Some(value) = self.inputs.env.text(name.as_str()) {
            return Some(value.to_owned());
        }
        if !self.inputs.is_check && !self.has_enough() {
            let message = format!("environment variable `{name}` is not set");
            let fault = Diagnostic::error("plan::undefined-env", message, span.clone());
            let near = closest(name.as_str(), self.inputs.env.names());
            self.fault(fault.help(match near {
                Some(near) => format!("did you mean `${{env.{near}}}`?"),
                None => format!("set it where Doppio is started: `export {name}=…`"),
            }));
        }
        None
    }

    fn target(&mut self, node: usize, span: &Span) -> Option<String> {
        let target = self.inputs.target.map(ToString::to_string);
        if target.is_none() {
            self.questions.push(Question { node, fact: Fact::Target, span: span.clone() });
        }
        target
    }

    fn matrix(&mut self, node: usize, name: &str, span: &Span) -> Option<String> {
        let matrix = &self.graph.nodes[node].matrix;
        if let Some((_, value)) = matrix.iter().find(|(key, _)| key == name) {
            return Some(value.clone());
        }
        let message = format!("the step's matrix has no `{name}`");
        let fault = Diagnostic::error("plan::undefined-variable", message, span.clone());
        let near = closest(name, matrix.iter().map(|(key, _)| key.as_str()));
        self.fault(match near {
            Some(near) => fault.help(format!("did you mean `${{matrix.{near}}}`?")),
            None if matrix.is_empty() => fault.help("give the step `matrix = { … }`"),
            None => fault,
        });
        None
    }
}
