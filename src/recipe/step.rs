//! One `[[step]]`: the keys that all steps share, and the one that says what it does.

use std::collections::HashSet;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::Toml;
use doppio_text::TomlKey;
use doppio_text::TomlTable;
use doppio_text::TomlValue;
use doppio_text::closest;
use doppio_text::name::StepId;

use crate::recipe::Axis;
use crate::recipe::Hosts;
use crate::recipe::Operation;
use crate::recipe::RecipeStep;
use crate::recipe::RunIf;
use crate::recipe::credentials;
use crate::recipe::defaults;
use crate::recipe::forward;
use crate::recipe::operation;
use crate::recipe::retry;
use crate::step::KINDS;
use crate::step::Level;
use crate::step::Mode;
use crate::step::NOT_YET;
use crate::step::Reader;
use crate::step::StepKind;
use crate::step::Template;
use crate::step::described;
use crate::step::foreign;
use crate::step::of_operation;

const KEYS: [&str; 14] = [
    "id",
    "name",
    "depends_on",
    "when",
    "run_if",
    "retry",
    "timeout_secs",
    "continue_on_failure",
    "hosts",
    "matrix",
    "durable",
    "idempotent",
    "forward",
    "credentials",
];

const RUN_IF: [(&str, RunIf); 3] =
    [("success", RunIf::Success), ("failure", RunIf::Failure), ("always", RunIf::Always)];

/// Reads steps one by one.
pub(super) struct StepReader<'a, 's, 'i> {
    /// Collects the faults.
    pub reader: &'a mut Reader<'s>,
    /// `[defaults]`.
    pub defaults: &'a defaults::Read<'i>,
    /// Names that steps which can't be read would have brought.
    pub unread: &'a mut HashSet<String>,
}

type Key<'t, 'i> = &'t TomlKey<'i>;
type Entry<'t, 'i> = (Key<'t, 'i>, &'t TomlValue<'i>);

impl<'i> StepReader<'_, '_, 'i> {
    /// Reads one step; none if it has no usable id.
    pub(super) fn step(&mut self, value: &TomlValue<'i>) -> Option<RecipeStep> {
        let table = self.reader.table("each `step`", value)?;
        let id = self.id(table, head_span(value, self.reader.source.text()));
        let mut step = RecipeStep {
            id: id.clone().map_or_else(placeholder, |(id, _)| id),
            id_span: id.as_ref().map_or_else(|| value.span(), |(_, span)| span.clone()),
            name: None,
            depends_on: Vec::new(),
            when: None,
            run_if: RunIf::default(),
            retry: None,
            timeout: None,
            continue_on_failure: false,
            idempotent: false,
            forward: Vec::new(),
            hosts: None,
            matrix: Vec::new(),
            credentials: None,
            operation: None,
        };
        let mut operations: Vec<Entry<'_, 'i>> = Vec::new();
        let mut has_unknown = false;
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if self.common(&mut step, name, value) {
                continue;
            }
            if KINDS.iter().any(|kind| kind.name() == name) || not_yet(name).is_some() {
                operations.push((key, value));
            } else {
                has_unknown = true;
                self.unknown(name, key.span(), value);
            }
        }
        match operations.as_slice() {
            [] if has_unknown => {}
            [] => self.no_operation(&step.id_span),
            [(first, _), others @ ..] if !others.is_empty() => self.two_operations(first, others),
            [(key, value)] => step.operation = self.operation(key, value, &step),
            _ => {}
        }
        if step.operation.is_none() {
            self.unread.extend(operations.iter().flat_map(|(_, value)| operation::may_set(value)));
        }
        id.map(|_| step)
    }

    fn operation(&mut self, key: Key<'_, 'i>, value: &TomlValue<'i>, step: &RecipeStep) -> Option<Operation> {
        let name = key.get_ref().as_ref();
        let Some(kind) = KINDS.iter().find(|kind| kind.name() == name) else {
            let until_built = not_yet(name)?;
            self.reader.fault(
                Diagnostic::error(
                    "recipe::not-built-yet",
                    format!("step type `{name}` is not built yet"),
                    key.span(),
                )
                .help(format!("until it is, {until_built}")),
            );
            return None;
        };
        let value = self.defaults.complete(kind, value, step.hosts.is_some());
        operation::read(self.reader, kind, key.span(), &value)
    }

    /// Takes a key that all steps share; false if it is not one of them.
    fn common(&mut self, step: &mut RecipeStep, key: &str, value: &TomlValue<'i>) -> bool {
        let reader = &mut *self.reader;
        match key {
            "id" => {}
            "name" => step.name = reader.string("`name`", value),
            "depends_on" => step.depends_on = reader.strings("`depends_on`", value).unwrap_or_default(),
            "when" => step.when = self.when(value),
            "run_if" => step.run_if = reader.one_of("`run_if`", value, &RUN_IF).unwrap_or_default(),
            "retry" => step.retry = retry::read(reader, value),
            "timeout_secs" => step.timeout = reader.timeout("`timeout_secs`", value),
            "continue_on_failure" => {
                step.continue_on_failure = reader.boolean("`continue_on_failure`", value).unwrap_or(false);
            }
            "hosts" => step.hosts = self.hosts(value),
            "matrix" => step.matrix = self.matrix(value),
            "durable" => defaults::durable(reader, value),
            "idempotent" => step.idempotent = reader.boolean("`idempotent`", value).unwrap_or(false),
            "forward" => step.forward = forward::read(reader, value),
            "credentials" => step.credentials = credentials::read(reader, value),
            _ => return false,
        }
        true
    }

    fn id(&mut self, table: &TomlTable<'i>, step: Span) -> Option<(StepId, Span)> {
        let Some(value) = table.get("id") else {
            self.reader.fault(
                Diagnostic::error("recipe::no-id", "the step has no `id`", step)
                    .help("add `id = \"…\"`: letters, digits, `_` and `-`"),
            );
            return None;
        };
        let text = self.reader.string("`id`", value)?;
        match text.parse::<StepId>() {
            Ok(id) if !text.contains('[') => Some((id, value.span())),
            _ => {
                let fault = Diagnostic::error(
                    "recipe::invalid-id",
                    format!("`{text}` is not a step id: use letters, digits, `_` and `-`"),
                    value.span(),
                );
                let mended: String = text
                    .trim()
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
                    .collect();
                self.reader.fault(if mended.is_empty() {
                    fault
                } else {
                    fault.edit(value.span(), format!("\"{mended}\""))
                });
                self.unread.insert(text);
                None
            }
        }
    }

    fn when(&mut self, value: &TomlValue<'i>) -> Option<Template> {
        match value.get_ref() {
            Toml::String(text) => Some(self.reader.cut(text, value.span(), Mode::Plain)),
            Toml::Boolean(flag) => {
                self.reader.fault(
                    Diagnostic::error(
                        "recipe::wrong-type",
                        "`when` must be an expression in a string",
                        value.span(),
                    )
                    .label(format!("found `{flag}`"))
                    .edit(value.span(), format!("\"{flag}\"")),
                );
                None
            }
            _ => {
                self.reader.string("`when`", value);
                None
            }
        }
    }

    fn hosts(&mut self, value: &TomlValue<'i>) -> Option<Hosts> {
        if let Toml::String(text) = value.get_ref() {
            let Some(tag) = text.strip_prefix('@').filter(|tag| !tag.is_empty()) else {
                self.reader.fault(
                    Diagnostic::error(
                        "recipe::wrong-type",
                        "`hosts` must be a list of hosts, or a group as in `\"@gpu\"`",
                        value.span(),
                    )
                    .edit(value.span(), format!("[{text:?}]")),
                );
                return None;
            };
            return Some(Hosts::Tagged { tag: tag.to_owned(), span: value.span() });
        }
        let names = self.reader.strings("`hosts`", value)?;
        if names.is_empty() {
            self.reader.fault(Diagnostic::error("recipe::empty-list", "`hosts` names no host", value.span()));
        }
        let names =
            names.iter().map(|name| self.reader.cut(name.get_ref(), name.span(), Mode::Plain)).collect();
        Some(Hosts::List(names))
    }

    fn matrix(&mut self, value: &TomlValue<'i>) -> Vec<Axis> {
        let Some(table) = self.reader.table("`matrix`", value) else { return Vec::new() };
        if table.is_empty() {
            self.reader.fault(Diagnostic::error("recipe::empty-list", "`matrix` is empty", value.span()));
        }
        table
            .iter()
            .filter_map(|(key, value)| {
                let name = key.get_ref().as_ref();
                let values = self.axis(name, value)?;
                Some(Axis { name: name.to_owned(), span: key.span(), values })
            })
            .collect()
    }

    fn axis(&mut self, name: &str, value: &TomlValue<'i>) -> Option<Vec<String>> {
        let Some(items) = value.get_ref().as_array().filter(|items| !items.is_empty()) else {
            self.reader.fault(
                Diagnostic::error(
                    "recipe::wrong-type",
                    format!("`{name}` of `matrix` must be a list of values"),
                    value.span(),
                )
                .label(format!(
                    "found {}",
                    if value.get_ref().is_array() {
                        "an empty list".to_owned()
                    } else {
                        described(value.get_ref())
                    }
                )),
            );
            return None;
        };
        let what = format!("a value of `{name}`");
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                Toml::Datetime(_) => {
                    self.reader.wrong_type(&what, item, "a string, a number, or `true` or `false`");
                }
                _ => values.extend(self.reader.scalar(&what, item)),
            }
        }
        Some(values)
    }

    fn unknown(&mut self, name: &str, span: Span, value: &TomlValue<'i>) {
        if let Some(fault) = foreign(name, span.clone(), Level::Step, "a step", KEYS) {
            return self.reader.fault(fault);
        }
        let own = of_operation(name);
        if let Some(kind) = KINDS.iter().find(|kind| kind.spec.keys().any(|known| known == own)) {
            let message = format!("unknown key `{name}` in a step");
            let fault = Diagnostic::error("recipe::unknown-key", message, span);
            let help = format!("it belongs into the operation: `{} = {{ {own} = …, … }}`", kind.name());
            return self.reader.fault(fault.help(help));
        }
        let operations = KINDS.iter().map(StepKind::name).chain(NOT_YET.iter().map(|(name, _)| *name));
        if !value.get_ref().is_table() || closest(name, KEYS).is_some() {
            let known: Vec<_> = if closest(name, KEYS).is_some() {
                KEYS.to_vec()
            } else {
                KEYS.into_iter().chain(operations).collect()
            };
            self.reader.unknown_key(name, span, "a step", known);
            return;
        }
        let fault = Diagnostic::error(
            "recipe::unknown-operation",
            format!("no step type is called `{name}`"),
            span.clone(),
        );
        self.reader.fault(match closest(name, operations) {
            Some(near) => fault.help("a step type with a similar name exists").edit(span, near),
            None => fault.help(format!("step types: {}", kinds())),
        });
    }

    fn no_operation(&mut self, span: &Span) {
        self.reader.fault(
            Diagnostic::error("recipe::no-operation", "the step does nothing", span.clone())
                .label("no step type")
                .help(format!("add one of {}", kinds())),
        );
    }

    fn two_operations(&mut self, first: Key<'_, 'i>, others: &[Entry<'_, 'i>]) {
        for (key, _) in others {
            self.reader.fault(
                Diagnostic::error(
                    "recipe::two-operations",
                    format!(
                        "a step does one thing, and this has both `{}` and `{}`",
                        first.get_ref(),
                        key.get_ref()
                    ),
                    key.span(),
                )
                .other(first.span(), "the first")
                .help("make two steps of them"),
            );
        }
    }
}

/// What does the work of a step type that is not built yet, if it is one.
fn not_yet(name: &str) -> Option<&'static str> {
    NOT_YET.iter().find(|(known, _)| *known == name).map(|(_, until_built)| *until_built)
}

fn kinds() -> String {
    KINDS.iter().map(|kind| format!("`{}`", kind.name())).collect::<Vec<_>>().join(", ")
}

/// Stands in for an id that can't be used, in a step that is dropped.
fn placeholder() -> StepId {
    "unnamed".parse().expect("it is made of letters")
}

/// The first line of a step's table.
fn head_span(value: &TomlValue<'_>, recipe: &str) -> Span {
    let span = value.span();
    let line = recipe.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or("");
    span.start..span.start + line.len()
}
