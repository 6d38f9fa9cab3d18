//! The texts of one step: every reference looked up, what is known put in, shell text rewritten.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::name::EnvName;
use crate::name::StepId;
use crate::plan::Inputs;
use crate::plan::expand::Node;
use crate::plan::names::Named;
use crate::plan::names::Variables;
use crate::plan::names::is_capital;
use crate::plan::names::push;
use crate::plan::names::undefined;
use crate::secret::SecretRef;
use crate::shell::Piece;
use crate::shell::rewrite;
use crate::step::Binding;
use crate::step::FieldMut;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Reference;
use crate::step::Script;
use crate::step::ShellText;
use crate::step::StepField;
use crate::step::Template;
use crate::text::Diagnostic;
use crate::text::SUGGESTED;
use crate::text::Span;
use crate::text::closest;
use crate::text::has_enough;
use crate::text::note;

/// What variables may add to all texts of a recipe together, in bytes.
const MOST_ADDED: usize = 64 << 20;

/// Something that must be there before a step starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// The result of a node.
    Result(usize),
    /// A value for a variable that steps set.
    Variable(String),
}

/// What a step's texts ask of the rest of the recipe.
#[derive(Debug)]
pub(super) struct Question {
    /// The node that asks.
    pub node: usize,
    /// What it asks for.
    pub fact: Fact,
    /// Where.
    pub span: Span,
}

/// Everything that names can be looked up in, and what was found wrong.
pub(super) struct Resolver<'a> {
    /// The variables.
    pub variables: &'a Variables,
    /// What else the plan depends on.
    pub inputs: &'a Inputs<'a>,
    /// The nodes, by id.
    pub ids: &'a HashMap<StepId, usize>,
    /// All nodes.
    pub nodes: &'a [Node],
    /// The recipe's name.
    pub recipe_name: &'a str,
    /// Ids that are known though their steps could not be read.
    pub unread: &'a HashSet<String>,
    /// What is wrong.
    pub faults: Vec<Diagnostic>,
    /// What must have ended by then.
    pub questions: Vec<Question>,
    /// The first places that need a target while the run has none.
    pub targetless: Vec<Span>,
    /// Variables of the command line that were used.
    pub used: HashSet<String>,
    /// Bytes that variables have added.
    pub added: usize,
}

/// What one step's texts came to.
#[derive(Debug, Default)]
pub(super) struct Travel {
    /// The secrets, each once.
    pub secrets: Vec<SecretRef>,
    /// The environment names.
    pub env_names: Vec<EnvName>,
    seen: HashSet<SecretRef>,
    /// The variables of the shell texts so far, by what they carry.
    holes: HashMap<String, EnvName>,
    hole_counts: (usize, usize),
}

/// A text with what is known put in, except where `fixed` keeps it apart.
struct Resolved {
    parts: Vec<Part>,
    /// Values of the references in `parts` that are known and yet no text: they may become
    /// the value of a variable, but not code.
    fixed: HashMap<usize, String>,
}

impl Resolver<'_> {
    /// Resolves one field of a node.
    pub(super) fn field(&mut self, node: usize, name: &str, field: FieldMut<'_>, travel: &mut Travel) {
        match field {
            FieldMut::Plain(text) => {
                let resolved = self.resolve(node, &text.0, Mode::Plain, name);
                self.refuse_secrets(&resolved, name);
                text.0.parts = settle(resolved);
            }
            FieldMut::Secret(text) => {
                let resolved = self.resolve(node, &text.0, Mode::Plain, name);
                text.0.parts = settle(resolved);
                note_secrets(&text.0.parts, travel);
                if let Some(Ok(variable)) = name.strip_prefix("env.").map(str::parse::<EnvName>)
                    && !travel.env_names.contains(&variable)
                {
                    travel.env_names.push(variable);
                }
            }
            FieldMut::Shell(text) => self.shell(node, name, text, travel),
        }
    }

    /// Resolves a text that no shell reads, for `when`.
    pub(super) fn plain(&mut self, node: usize, template: &Template, name: &str) -> Template {
        let resolved = self.resolve(node, template, Mode::Plain, name);
        self.refuse_secrets(&resolved, name);
        Template { parts: settle(resolved), span: template.span.clone() }
    }

    fn shell(&mut self, node: usize, name: &str, text: &mut ShellText, travel: &mut Travel) {
        let Resolved { parts, fixed } = self.resolve(node, &text.template, Mode::Shell, name);
        note_secrets(&parts, travel);
        let mut pieces = Vec::with_capacity(parts.len());
        let mut bindings: Vec<Binding> = Vec::new();
        let mut bound = HashSet::new();
        for (index, part) in parts.iter().enumerate() {
            let (reference, span) = match part {
                Part::Text(text) => {
                    pieces.push(Piece::Text(text.clone()));
                    continue;
                }
                Part::Reference(reference, span) => (reference, span),
            };
            let variable = travel.hole(reference);
            pieces.push(Piece::Value(variable.clone()));
            if bound.insert(variable.clone()) {
                let value = match fixed.get(&index) {
                    Some(value) => Part::Text(value.clone()),
                    None => Part::Reference(unquoted(reference), span.clone()),
                };
                bindings
                    .push(Binding { variable, value: Template { parts: vec![value], span: span.clone() } });
            }
        }
        match rewrite(&pieces) {
            Ok(rewritten) => text.script = Script { text: rewritten, bindings },
            Err(errors) => {
                for error in errors {
                    let span = match parts.get(error.piece) {
                        Some(Part::Reference(_, span)) => span.clone(),
                        _ => text.template.span.clone(),
                    };
                    self.faults
                        .push(Diagnostic::error("plan::shell-place", error.message, span).help(error.help));
                }
            }
        }
        text.template.parts = settle(Resolved { parts, fixed });
    }

    fn refuse_secrets(&mut self, resolved: &Resolved, field: &str) {
        for part in &resolved.parts {
            let Part::Reference(Reference::Secret(secret), span) = part else { continue };
            self.fault(
                Diagnostic::error(
                    "plan::secret-in-text",
                    format!("secret `{secret}` can't stand in `{field}`"),
                    span.clone(),
                )
                .label("would be visible to others here")
                .help("a secret can stand in shell text such as `command`, in `env`, and in `stdin`"),
            );
        }
    }

    fn resolve(&mut self, node: usize, template: &Template, mode: Mode, field: &str) -> Resolved {
        let mut resolved =
            Resolved { parts: Vec::with_capacity(template.parts.len()), fixed: HashMap::new() };
        let variables = self.variables;
        for part in &template.parts {
            let Part::Reference(reference, span) = part else {
                push(&mut resolved.parts, part, false);
                continue;
            };
            let Some((name, quoted)) = variables.variable_name(reference) else {
                self.leaf(node, reference, span, mode, field, &mut resolved);
                continue;
            };
            self.used.insert(name.to_owned());
            let Named::Value(parts) = variables.look_up(name) else {
                self.leaf(node, &variable(name, quoted), span, mode, field, &mut resolved);
                continue;
            };
            for part in parts {
                match part {
                    Part::Text(text) => {
                        self.added += text.len();
                        if self.added > MOST_ADDED {
                            self.too_long(span);
                            return resolved;
                        }
                        push(&mut resolved.parts, part, quoted);
                    }
                    Part::Reference(inner, _) => self.leaf(node, inner, span, mode, field, &mut resolved),
                }
            }
        }
        resolved
    }

    /// Notes a fault, unless there are enough.
    pub(super) fn fault(&mut self, fault: Diagnostic) {
        note(&mut self.faults, fault);
    }

    fn has_enough(&self) -> bool {
        has_enough(&self.faults)
    }

    fn may_suggest(&self) -> bool {
        self.faults.len() < SUGGESTED
    }

    fn too_long(&mut self, span: &Span) {
        if self.faults.iter().all(|fault| fault.code != "plan::too-long") {
            let message = "the recipe's texts come to more than 64 MiB with their variables resolved";
            self.fault(Diagnostic::error("plan::too-long", message, span.clone()));
        }
    }

    /// A reference that no static variable stands for.
    fn leaf(
        &mut self,
        node: usize,
        reference: &Reference,
        span: &Span,
        mode: Mode,
        field: &str,
        resolved: &mut Resolved,
    ) {
        let known = match reference {
            Reference::Secret(_) | Reference::RunId | Reference::Now => None,
            Reference::Variable { name, quoted } => {
                if let Some(text) = self.dynamic(node, name, *quoted, span, mode) {
                    push(&mut resolved.parts, &Part::Text(text), false);
                    return;
                }
                None
            }
            Reference::Step { id, field: what } => {
                self.result(node, id, what, span);
                None
            }
            Reference::Env(name) => self.environment(name, span),
            Reference::Target => self.target(span),
            Reference::Host => {
                let host = self.nodes[node].host.as_ref().map(ToString::to_string);
                // Else it is the host of the operation, which can't be told by this very field.
                if host.is_none() && field == "host_id" && self.inputs.target.is_none() {
                    self.target(span);
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
            Reference::RecipeName => Some(self.recipe_name.to_owned()),
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

    /// `${step.ID.…}`: whether there is such a step, and whether it has such a result.
    pub(super) fn result(&mut self, node: usize, id: &StepId, what: &StepField, span: &Span) {
        let Some(of) = self.ids.get(id).copied() else {
            if !self.unread.contains(id.as_str()) && !self.has_enough() {
                let fault = Diagnostic::error(
                    "plan::unknown-step",
                    format!("no step is called `{id}`"),
                    span.clone(),
                );
                let ids = self.ids.keys().filter(|_| self.may_suggest());
                let near = closest(id.as_str(), ids.map(StepId::as_str));
                self.fault(match near {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault,
                });
            }
            return;
        };
        if !self.nodes[of].members.is_empty() && *what != StepField::Status {
            let one = &self.nodes[self.nodes[of].members[0]].id;
            self.fault(
                Diagnostic::error(
                    "plan::no-result",
                    format!("step `{id}` stands for several and has no output of its own"),
                    span.clone(),
                )
                .help(format!("name one of them, as in `step.{one}.output`")),
            );
            return;
        }
        self.questions.push(Question { node, fact: Fact::Result(of), span: span.clone() });
    }

    fn environment(&mut self, name: &EnvName, span: &Span) -> Option<String> {
        if let Some(value) = self.inputs.env.text(name.as_str()) {
            return Some(value.to_owned());
        }
        if !self.inputs.is_check && !self.has_enough() {
            let fault = Diagnostic::error(
                "plan::undefined-env",
                format!("environment variable `{name}` is not set"),
                span.clone(),
            );
            let near = closest(name.as_str(), self.inputs.env.names());
            self.fault(match near {
                Some(near) => fault.help(format!("did you mean `${{env.{near}}}`?")),
                None => fault.help(format!("set it where Doppio is started: `export {name}=…`")),
            });
        }
        None
    }

    fn target(&mut self, span: &Span) -> Option<String> {
        let target = self.inputs.target.map(ToString::to_string);
        if target.is_none() {
            self.targetless.push(span.clone());
        }
        target
    }

    fn matrix(&mut self, node: usize, name: &str, span: &Span) -> Option<String> {
        let matrix = &self.nodes[node].matrix;
        if let Some((_, value)) = matrix.iter().find(|(key, _)| key == name) {
            return Some(value.clone());
        }
        let fault = Diagnostic::error(
            "plan::undefined-variable",
            format!("the step's matrix has no `{name}`"),
            span.clone(),
        );
        let near = closest(name, matrix.iter().map(|(key, _)| key.as_str()));
        self.fault(match near {
            Some(near) => fault.help(format!("did you mean `${{matrix.{near}}}`?")),
            None if matrix.is_empty() => fault.help("give the step `matrix = { … }`"),
            None => fault,
        });
        None
    }
}

impl Travel {
    /// The variable in which a reference's value travels; the same one for the same reference.
    fn hole(&mut self, reference: &Reference) -> EnvName {
        let carried = unquoted(reference).to_string();
        if let Some(variable) = self.holes.get(&carried) {
            return variable.clone();
        }
        let (secrets, values) = &mut self.hole_counts;
        let (kind, count) =
            if matches!(reference, Reference::Secret(_)) { ("SECRET", secrets) } else { ("VALUE", values) };
        *count += 1;
        let variable: EnvName = format!("DOPPIO_{kind}_{count}").parse().expect("it is a name");
        self.holes.insert(carried, variable.clone());
        self.env_names.push(variable.clone());
        variable
    }
}

fn variable(name: &str, quoted: bool) -> Reference {
    Reference::Variable { name: name.to_owned(), quoted }
}

/// A value that travels by itself needs no quotes.
fn unquoted(reference: &Reference) -> Reference {
    match reference {
        Reference::Variable { name, .. } => variable(name, false),
        other => other.clone(),
    }
}

/// Puts in what is known: no shell reads this text.
fn settle(resolved: Resolved) -> Vec<Part> {
    let Resolved { parts, mut fixed } = resolved;
    let mut settled = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match fixed.remove(&index) {
            Some(value) => push(&mut settled, &Part::Text(value), false),
            None => push(&mut settled, &part, false),
        }
    }
    settled
}

fn note_secrets(parts: &[Part], travel: &mut Travel) {
    for part in parts {
        if let Part::Reference(Reference::Secret(secret), _) = part
            && travel.seen.insert(secret.clone())
        {
            travel.secrets.push(secret.clone());
        }
    }
}

/// A text in which only variables and the environment may stand, and must be known now.
pub(super) fn fixed_text(
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
                Reference::Env(name) => inputs.env.text(name.as_str()).map(str::to_owned),
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
