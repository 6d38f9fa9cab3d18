//! Variables: their values with the references inside resolved as far as that goes without a
//! step, and which of them only a run can know.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_text::Diagnostic;
use doppio_text::SUGGESTED;
use doppio_text::Span;
use doppio_text::closest;
use doppio_text::has_enough;
use doppio_text::shell::quote;

use crate::recipe::Recipe;
use crate::recipe::Variable;
use crate::step::Part;
use crate::step::Reference;

/// A variable's text may be this long, in bytes, once its references are resolved.
const LONGEST: usize = 1 << 20;

/// And hold so many references.
const MOST_REFERENCES: usize = 10_000;

/// All variables of a recipe.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<String, Vec<Part>>,
    spans: HashMap<String, Span>,
    dynamic: HashSet<String>,
    unread: HashSet<String>,
}

/// What a name stands for.
pub(super) enum Named<'a> {
    /// These parts: text, and references that are not static variables.
    Value(&'a [Part]),
    /// Only the run knows: a step sets it.
    Dynamic,
    /// Nothing.
    Undefined,
    /// It may be set by a step that could not be read.
    Unread,
}

impl Variables {
    /// Resolves `[variables]` and what the command line says instead.
    pub(super) fn resolve(recipe: &Recipe, vars: &[(String, String)], faults: &mut Vec<Diagnostic>) -> Self {
        let dynamic = recipe
            .steps
            .iter()
            .filter_map(|step| step.operation.as_ref())
            .flat_map(|operation| operation.parsed.sets())
            .map(str::to_owned)
            .collect();
        let mut variables = Self {
            values: HashMap::with_capacity(recipe.variables.len() + vars.len()),
            spans: recipe.variables.iter().map(|v| (v.name.clone(), v.span.clone())).collect(),
            dynamic,
            unread: recipe.unread.clone(),
        };
        for (name, value) in vars {
            variables.values.insert(name.clone(), vec![Part::Text(value.clone())]);
        }
        let own: HashMap<&str, &Variable> = recipe
            .variables
            .iter()
            .filter(|variable| !variables.values.contains_key(&variable.name))
            .map(|variable| (variable.name.as_str(), variable))
            .collect();
        for variable in &recipe.variables {
            variables.resolve_from(variable, &own, faults);
        }
        variables.check_dynamic(faults);
        variables
    }

    /// What a name stands for.
    pub(super) fn look_up(&self, name: &str) -> Named<'_> {
        if self.dynamic.contains(name) {
            return Named::Dynamic;
        }
        match self.values.get(name) {
            Some(parts) => Named::Value(parts),
            None if self.unread.contains(name) => Named::Unread,
            None => Named::Undefined,
        }
    }

    /// Whether the recipe or the command line gives the name a value at the start.
    pub(super) fn has_value(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Where the recipe defines the name.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.spans.get(name).cloned()
    }

    /// The name under which a reference is looked up here: old recipes may have variables that
    /// are called as some references are today.
    pub(super) fn variable_name<'r>(&self, reference: &'r Reference) -> Option<(&'r str, bool)> {
        match reference {
            Reference::Variable { name, quoted } => Some((name, *quoted)),
            Reference::Target if self.is_known("target") => Some(("target", false)),
            Reference::Host if self.is_known("host") => Some(("host", false)),
            Reference::Now if self.is_known("now") => Some(("now", false)),
            _ => None,
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.dynamic.contains(name) || self.values.contains_key(name) || self.spans.contains_key(name)
    }

    /// Whether the name is known from the command line alone.
    fn is_only_given(&self, name: &str) -> bool {
        self.values.contains_key(name) && !self.spans.contains_key(name) && !self.dynamic.contains(name)
    }

    /// The name that was probably meant.
    pub(super) fn closest(&self, name: &str) -> Option<&str> {
        let names = self.values.keys().chain(&self.dynamic).map(String::as_str);
        closest(name, names.chain(["target", "host", "now"]))
    }

    /// Those that hold nothing but text.
    pub(super) fn plain(&self, recipe: &Recipe, vars: &[(String, String)]) -> Vec<(String, String)> {
        let names = recipe.variables.iter().map(|variable| &variable.name);
        let others = vars.iter().map(|(name, _)| name).filter(|name| !self.spans.contains_key(*name));
        names
            .chain(others)
            .filter_map(|name| {
                let text: Option<String> = self
                    .values
                    .get(name)?
                    .iter()
                    .map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
                    .collect();
                Some((name.clone(), text?))
            })
            .collect()
    }

    /// Resolves a variable and those that it refers to, the innermost first, without recursion.
    fn resolve_from(
        &mut self,
        first: &Variable,
        own: &HashMap<&str, &Variable>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let mut path: Vec<(&Variable, usize)> = vec![(first, 0)];
        let mut open: HashSet<&str> = HashSet::from([first.name.as_str()]);
        while let Some((variable, at)) = path.last_mut() {
            let variable = *variable;
            if self.values.contains_key(&variable.name) {
                path.pop();
                continue;
            }
            let next = variable.value.parts.get(*at);
            *at += 1;
            match next {
                None => {
                    let value = self.join(variable, faults);
                    self.values.insert(variable.name.clone(), value);
                    open.remove(variable.name.as_str());
                    path.pop();
                }
                Some(Part::Reference(reference, span)) => {
                    let Some((name, _)) = self.variable_name(reference) else { continue };
                    let Some(inner) = own.get(name).filter(|_| !self.dynamic.contains(name)) else {
                        self.check_known(name, span, faults);
                        continue;
                    };
                    if open.insert(inner.name.as_str()) {
                        path.push((inner, 0));
                    } else if !self.values.contains_key(name) {
                        faults.push(cycle(&path, &inner.name, span));
                        self.values.insert(inner.name.clone(), Vec::new());
                        return;
                    }
                }
                Some(Part::Text(_)) => {}
            }
        }
    }

    fn check_known(&self, name: &str, span: &Span, faults: &mut Vec<Diagnostic>) {
        if matches!(self.look_up(name), Named::Undefined) && !is_capital(name) && !has_enough(faults) {
            faults.push(undefined(self, name, span.clone(), faults.len() < SUGGESTED));
        }
    }

    /// A variable's parts with those of the variables inside in their place.
    fn join(&self, variable: &Variable, faults: &mut Vec<Diagnostic>) -> Vec<Part> {
        let mut joined = Vec::new();
        let mut length = 0;
        for part in &variable.value.parts {
            let inner = match part {
                Part::Reference(reference, _) => match self.variable_name(reference) {
                    Some((name, quoted)) if !self.dynamic.contains(name) => {
                        self.values.get(name).map(|parts| (parts.as_slice(), quoted))
                    }
                    _ => None,
                },
                Part::Text(_) => None,
            };
            let (parts, quoted) = inner.unwrap_or((std::slice::from_ref(part), false));
            for part in parts {
                if let Part::Text(text) = part {
                    length += text.len();
                }
                if length > LONGEST || joined.len() > MOST_REFERENCES {
                    let message =
                        format!("variable `{}` is too long with its references resolved", variable.name);
                    faults.push(
                        Diagnostic::error("plan::too-long", message, variable.value.span.clone())
                            .help("a variable can hold at most 1 MiB of text"),
                    );
                    return Vec::new();
                }
                push(&mut joined, part, quoted);
            }
        }
        joined
    }

    /// What a step sets is a value of the run, and that is text only.
    fn check_dynamic(&self, faults: &mut Vec<Diagnostic>) {
        let mut names: Vec<_> = self.dynamic.iter().filter(|name| self.spans.contains_key(*name)).collect();
        names.sort_unstable();
        for name in names {
            let Some(Part::Reference(reference, span)) = self
                .values
                .get(name)
                .and_then(|parts| parts.iter().find(|part| matches!(part, Part::Reference(..))))
            else {
                continue;
            };
            let message =
                format!("`{name}` is set by a step, so its first value can't hold `${{{reference}}}`");
            faults.push(
                Diagnostic::error("plan::not-plain", message, span.clone())
                    .help("give it that value in a `set_var` step that runs first"),
            );
        }
    }
}

/// Adds a part, quoted for a shell if asked; text is merged with text before it.
pub(super) fn push(parts: &mut Vec<Part>, part: &Part, quoted: bool) {
    match part {
        Part::Text(text) => {
            let text = if quoted { quote(text) } else { text.clone() };
            if let Some(Part::Text(last)) = parts.last_mut() {
                last.push_str(&text);
            } else {
                parts.push(Part::Text(text));
            }
        }
        Part::Reference(reference, span) => parts.push(Part::Reference(reference.clone(), span.clone())),
    }
}

/// Whether a name looks like a variable of the shell's own environment.
pub(super) fn is_capital(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The fault of a name that nobody defined.
pub(super) fn undefined(variables: &Variables, name: &str, span: Span, may_suggest: bool) -> Diagnostic {
    let fault =
        Diagnostic::error("plan::undefined-variable", format!("variable `{name}` is not defined"), span);
    if let Some(near) = may_suggest.then(|| variables.closest(name)).flatten() {
        if variables.is_only_given(near) {
            return fault.help(format!(
                "the command line gives `{near}`: did you mean `--var {name}=…`, or here `${{{near}}}`?"
            ));
        }
        let help = format!("did you mean `${{{near}}}`?");
        return match variables.span(near) {
            Some(span) => fault.other(span, "a similar name").help(help),
            None => fault.help(help),
        };
    }
    if name == "HOME" {
        return fault.help("write `~/…` for a path below the home on the host");
    }
    fault.help(if is_capital(name) {
        format!("define it under `[variables]`, or write `${{env.{name}}}` for Doppio's own environment")
    } else {
        format!("define it under `[variables]`, or with `--var {name}=…`; `$${{` is a literal `${{`")
    })
}

fn cycle(path: &[(&Variable, usize)], name: &str, span: &Span) -> Diagnostic {
    let from = path.iter().position(|(variable, _)| variable.name == name).unwrap_or(0);
    let names: Vec<&str> = path[from..].iter().map(|(v, _)| v.name.as_str()).chain([name]).collect();
    let message = if names.len() == 2 {
        format!("variable `{name}` refers to itself")
    } else {
        format!("variables refer to each other: {}", super::order::arrows(&names))
    };
    Diagnostic::error("plan::variable-cycle", message, span.clone())
}
