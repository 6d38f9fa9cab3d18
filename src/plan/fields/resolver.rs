//! Resolving texts: every reference looked up, what is known put in, shell text rewritten.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_text::Diagnostic;
use doppio_text::SUGGESTED;
use doppio_text::Span;
use doppio_text::has_enough;
use doppio_text::note;
use doppio_text::shell::Piece;
use doppio_text::shell::rewrite;

use crate::plan::Inputs;
use crate::plan::fields::Travel;
use crate::plan::fields::travel::unquoted;
use crate::plan::graph::Graph;
use crate::plan::variables::Named;
use crate::plan::variables::Variables;
use crate::plan::variables::push;
use crate::recipe::Recipe;
use crate::step::Binding;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Reference;
use crate::step::Script;
use crate::step::ShellText;
use crate::step::Template;
use crate::step::Text;
use crate::step::TextPart;

/// What variables may add to all texts of a recipe together, in bytes.
const MOST_ADDED: usize = 64 << 20;

/// Something that must be there before a step starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::plan) enum Fact {
    /// The result of a node.
    Result(usize),
    /// A value for a variable that steps set.
    Variable(String),
    /// A target, of a run that has none at its start.
    Target,
}

/// What a step's texts ask of the rest of the recipe.
#[derive(Debug)]
pub(in crate::plan) struct Question {
    pub node: usize,
    pub fact: Fact,
    pub span: Span,
}

/// Everything that names can be looked up in, and what was found wrong.
pub(in crate::plan) struct Resolver<'a> {
    pub variables: &'a Variables,
    pub inputs: &'a Inputs<'a>,
    pub graph: &'a Graph,
    pub recipe: &'a Recipe,
    pub faults: Vec<Diagnostic>,
    /// What must have ended by then.
    pub questions: Vec<Question>,
    /// Variables of the command line that were used.
    pub used: HashSet<String>,
    /// Bytes that variables have added.
    pub added: usize,
}

/// A text with what is known put in, except where `fixed` keeps it apart.
pub(super) struct Resolved {
    /// The pieces, in order.
    pub parts: Vec<Part>,
    /// Values of the references in `parts` that are known and yet no text: they may become
    /// the value of a variable, but not code.
    pub fixed: HashMap<usize, String>,
}

impl<'a> Resolver<'a> {
    pub(in crate::plan) fn new(
        variables: &'a Variables,
        inputs: &'a Inputs<'a>,
        graph: &'a Graph,
        recipe: &'a Recipe,
    ) -> Self {
        Self {
            variables,
            inputs,
            graph,
            recipe,
            faults: Vec::new(),
            questions: Vec::new(),
            used: HashSet::new(),
            added: 0,
        }
    }

    /// Resolves a text that no shell reads and no secret may stand in; `name` is what messages
    /// call the field where it stands.
    pub(in crate::plan) fn plain(&mut self, node: usize, template: &Template, name: &str) -> Text {
        let resolved = self.resolve(node, template, Mode::Plain, name);
        self.refuse_secrets(&resolved, name);
        settle(resolved).into_iter().collect()
    }

    pub(super) fn shell(
        &mut self,
        node: usize,
        name: &str,
        template: &Template,
        travel: &mut Travel,
    ) -> ShellText {
        let Resolved { parts, fixed } = self.resolve(node, template, Mode::Shell, name);
        travel.note_secrets(&parts);
        travel.unset.extend_from_slice(&template.unset);
        travel.pipes.extend_from_slice(&template.pipes);
        let mut pieces = Vec::with_capacity(parts.len());
        let mut bindings: Vec<Binding> = Vec::new();
        let mut bound = HashSet::new();
        for (index, part) in parts.iter().enumerate() {
            let reference = match part {
                Part::Text(text) => {
                    pieces.push(Piece::Text(text.clone()));
                    continue;
                }
                Part::Reference(reference, _) => reference,
            };
            let variable = travel.hole(reference);
            pieces.push(Piece::Value(variable.clone()));
            if bound.insert(variable.clone()) {
                let value = match fixed.get(&index) {
                    Some(value) => TextPart::Text(value.clone()),
                    None => TextPart::Reference(unquoted(reference)),
                };
                bindings.push(Binding { variable, value: Text { parts: vec![value] } });
            }
        }
        let script = match rewrite(&pieces) {
            Ok(text) => Script { text, bindings },
            Err(errors) => {
                for error in errors {
                    let span = match parts.get(error.piece) {
                        Some(Part::Reference(_, span)) => span.clone(),
                        _ => template.span.clone(),
                    };
                    self.faults
                        .push(Diagnostic::error("plan::shell-place", error.message, span).help(error.help));
                }
                Script::default()
            }
        };
        ShellText { shown: settle(Resolved { parts, fixed }).into_iter().collect(), script }
    }

    fn refuse_secrets(&mut self, resolved: &Resolved, field: &str) {
        for part in &resolved.parts {
            let Part::Reference(Reference::Secret(secret), span) = part else { continue };
            let message = format!("secret `{secret}` is not allowed in `{field}`");
            let fault = Diagnostic::error("plan::secret-in-text", message, span.clone())
                .label("would be visible to others here")
                .help("a secret can stand in shell text such as `command`, and in `env` and `stdin` of a step that runs one");
            self.fault(fault);
        }
    }

    pub(super) fn resolve(&mut self, node: usize, template: &Template, mode: Mode, field: &str) -> Resolved {
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
    pub(in crate::plan) fn fault(&mut self, fault: Diagnostic) {
        note(&mut self.faults, fault);
    }

    pub(super) fn has_enough(&self) -> bool {
        has_enough(&self.faults)
    }

    pub(super) fn may_suggest(&self) -> bool {
        self.faults.len() < SUGGESTED
    }

    fn too_long(&mut self, span: &Span) {
        if self.faults.iter().all(|fault| fault.code != "plan::too-long") {
            let message = "the recipe's texts exceed 64 MiB with their variables resolved";
            self.fault(Diagnostic::error("plan::too-long", message, span.clone()));
        }
    }
}

fn variable(name: &str, quoted: bool) -> Reference {
    Reference::Variable { name: name.to_owned(), quoted }
}

/// Puts in what is known: no shell reads this text.
pub(super) fn settle(resolved: Resolved) -> Vec<Part> {
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
