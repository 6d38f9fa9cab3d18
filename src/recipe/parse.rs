//! The top-level tables.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;

use crate::recipe::Recipe;
use crate::recipe::Variable;
use crate::recipe::defaults;
use crate::recipe::recovery;
use crate::recipe::step::StepReader;
use crate::recipe::target;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Reader;
use crate::step::Template;
use crate::step::described;

const TABLES: [&str; 5] = ["recipe", "target", "variables", "defaults", "step"];
const RECIPE_KEYS: [&str; 3] = ["name", "version", "description"];

/// Reads a recipe: what could be made of the text, with all its faults in [`Recipe::faults`].
pub fn parse(source: &Source) -> Recipe {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let mut recipe = Recipe { has_syntax_errors: !errors.is_empty(), ..Recipe::default() };
    let mut reader = Reader::new(source);
    tables(&mut recipe, &mut reader, document.get_ref());
    if recipe.has_syntax_errors {
        recovery::keep_certain(&mut reader, &errors);
    }
    recipe.faults = reader.into_faults();
    recipe
}

fn tables(recipe: &mut Recipe, reader: &mut Reader<'_>, document: &DeTable<'_>) {
    let mut defaults = defaults::Read::default();
    let mut steps = None;
    let mut has_head = false;
    for (key, value) in document {
        match key.get_ref().as_ref() {
            "recipe" => {
                has_head = true;
                head(recipe, reader, value);
            }
            "target" => recipe.target = target::read(reader, value),
            "variables" => recipe.variables = variables(reader, value),
            "defaults" => defaults = defaults::read(reader, value),
            "step" => steps = Some(value),
            other => unknown_table(reader, other, key.span(), value),
        }
    }
    if !has_head && !recipe.has_syntax_errors {
        reader.fault(
            Diagnostic::error("recipe::no-name", "the recipe has no `[recipe]` table", 0..0)
                .help("begin it with `[recipe]` and `name = \"…\"`"),
        );
    }
    let Some(steps) = steps else { return };
    let Some(tables) = step_tables(reader, steps) else { return };
    let mut step_reader = StepReader { reader, defaults: &defaults, unread: &mut recipe.unread };
    recipe.steps = tables.iter().filter_map(|table| step_reader.step(table)).collect();
    recipe.defaults = defaults.steps;
    unique_ids(recipe, reader);
}

fn head(recipe: &mut Recipe, reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) {
    let Some(table) = reader.table("`[recipe]`", value) else { return };
    let mut has_name = false;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "name" => {
                has_name = true;
                recipe.name = reader.string("`name`", value).unwrap_or_else(|| "?".to_owned());
                if recipe.name.trim().is_empty() {
                    reader.fault(Diagnostic::error("recipe::no-name", "`name` is blank", value.span()));
                }
            }
            "version" => recipe.version = reader.string("`version`", value),
            "description" => recipe.description = reader.string("`description`", value),
            other => reader.unknown_key(other, key.span(), "`[recipe]`", RECIPE_KEYS),
        }
    }
    if !has_name {
        reader.fault(
            Diagnostic::error("recipe::no-name", "`[recipe]` has no `name`", value.span())
                .help("add `name = \"…\"`"),
        );
    }
}

fn unknown_table(reader: &mut Reader<'_>, name: &str, span: Span, value: &Spanned<DeValue<'_>>) {
    if name == "steps" {
        reader.fault(
            Diagnostic::error("recipe::unknown-key", "the steps of a recipe are called `step`", span.clone())
                .help("write `[[step]]`")
                .edit(span, "step"),
        );
    } else if RECIPE_KEYS.contains(&name) && !value.get_ref().is_table() {
        reader.fault(
            Diagnostic::error("recipe::unknown-key", format!("`{name}` is outside of `[recipe]`"), span)
                .help("put `[recipe]` on a line before it"),
        );
    } else {
        reader.unknown_key(name, span, "the recipe", TABLES);
    }
}

fn variables(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Variable> {
    let Some(table) = reader.table("`[variables]`", value) else { return Vec::new() };
    let mut variables = Vec::with_capacity(table.len());
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let value = match value.get_ref() {
            DeValue::String(text) => reader.cut(text, value.span(), Mode::Plain),
            _ => plain(scalar(reader, name, value).unwrap_or_default(), value.span()),
        };
        variables.push(Variable { name: name.to_owned(), span: key.span(), value });
    }
    variables
}

/// A value as text.
fn scalar(reader: &mut Reader<'_>, name: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => {
            reader.fault(
                Diagnostic::error(
                    "recipe::wrong-type",
                    format!("variable `{name}` must be a string, a number, or `true` or `false`"),
                    value.span(),
                )
                .label(format!("found {}", described(value.get_ref()))),
            );
            None
        }
    }
}

/// Reads a file of `NAME = VALUE` lines; values stand for themselves.
///
/// # Errors
///
/// All its faults.
pub fn values(source: &Source) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let mut reader = Reader::new(source);
    let mut values = Vec::new();
    for (key, value) in document.get_ref() {
        let name = key.get_ref().as_ref();
        values.extend(scalar(&mut reader, name, value).map(|value| (name.to_owned(), value)));
    }
    if !errors.is_empty() {
        recovery::keep_certain(&mut reader, &errors);
    }
    if reader.faults.is_empty() { Ok(values) } else { Err(reader.into_faults()) }
}

fn plain(text: String, span: Span) -> Template {
    Template { parts: vec![Part::Text(text)], span }
}

fn step_tables<'a, 'i>(
    reader: &mut Reader<'_>,
    value: &'a Spanned<DeValue<'i>>,
) -> Option<&'a [Spanned<DeValue<'i>>]> {
    if let DeValue::Array(tables) = value.get_ref() {
        return Some(tables);
    }
    let fault = Diagnostic::error("recipe::wrong-type", "`step` must be a list of tables", value.span())
        .label(format!("found {}", described(value.get_ref())));
    reader.fault(if value.get_ref().is_table() { fault.help("write `[[step]]`") } else { fault });
    None
}

fn unique_ids(recipe: &Recipe, reader: &mut Reader) {
    let mut seen = HashMap::with_capacity(recipe.steps.len());
    for step in &recipe.steps {
        if let Some(first) = seen.insert(step.id.clone(), step.id_span.clone()) {
            reader.fault(
                Diagnostic::error(
                    "recipe::duplicate-id",
                    format!("two steps are called `{}`", step.id),
                    step.id_span.clone(),
                )
                .label("again here")
                .other(first, "first here"),
            );
        }
    }
}
