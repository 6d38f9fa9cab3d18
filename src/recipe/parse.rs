//! The top-level tables.

use std::collections::HashMap;

use doppio_secrets::scan::tokens_in;
use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::Toml;
use doppio_text::TomlTable;
use doppio_text::TomlValue;

use crate::recipe::Recipe;
use crate::recipe::Variable;
use crate::recipe::defaults;
use crate::recipe::recovery;
use crate::recipe::step::StepReader;
use crate::recipe::target;
use crate::step::Level;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Reader;
use crate::step::Template;
use crate::step::described;
use crate::step::foreign;
use crate::step::meant;

const TABLES: [&str; 5] = ["recipe", "target", "variables", "defaults", "step"];
const RECIPE_KEYS: [&str; 3] = ["name", "version", "description"];

/// Reads a recipe: what could be made of the text, with all its faults in [`Recipe::faults`].
pub fn parse(source: &Source) -> Recipe {
    let mut reader = Reader::new(source);
    let (document, syntax) = reader.recovered_document();
    let mut recipe = Recipe { has_syntax_errors: !syntax.is_empty(), ..Recipe::default() };
    tables(&mut recipe, &mut reader, &document);
    recovery::keep_certain(&mut reader, syntax);
    literal_tokens(&mut reader);
    recipe.faults = reader.into_faults();
    recipe
}

/// Warns of each token that stands in the text as it is.
fn literal_tokens(reader: &mut Reader<'_>) {
    for (place, id) in tokens_in(reader.source.text()) {
        let message = format!("a token stands in the recipe as it is ({id})");
        reader.fault(Diagnostic::warning("recipe::literal-token", message, place).help(
            "replace it where it was issued, store the new one with `doppio secret set NAME`, and write \
             `${secret:NAME}`",
        ));
    }
}

fn tables(recipe: &mut Recipe, reader: &mut Reader<'_>, document: &TomlTable<'_>) {
    let mut defaults = defaults::Read::default();
    let mut steps = None;
    let mut has_head = false;
    let mut has_steps = false;
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
            other => {
                // Under its right name it will be there.
                let ours = meant(other, Level::Recipe, TABLES);
                has_head |= ours == Some("recipe");
                has_steps |= ours == Some("step") || matches!(other, "job" | "jobs");
                unknown_table(reader, other, key.span(), value);
            }
        }
    }
    if !has_head && !recipe.has_syntax_errors {
        reader.fault(
            Diagnostic::error("recipe::no-name", "the recipe has no `[recipe]` table", 0..0)
                .help("begin it with `[recipe]` and `name = \"…\"`"),
        );
    }
    let Some(steps) = steps else {
        if !has_steps && !recipe.has_syntax_errors {
            no_steps(reader, document);
        }
        return;
    };
    let Some(tables) = step_tables(reader, steps) else { return };
    if tables.is_empty() {
        no_steps(reader, document);
    }
    let mut step_reader = StepReader { reader, defaults: &defaults, unread: &mut recipe.unread };
    recipe.steps = tables.iter().filter_map(|table| step_reader.step(table)).collect();
    recipe.defaults = defaults.steps;
    unique_ids(recipe, reader);
}

/// A recipe that does nothing.
fn no_steps(reader: &mut Reader<'_>, document: &TomlTable<'_>) {
    let head = document.iter().find(|(key, _)| key.get_ref() == "recipe");
    let span = head.map_or(0..0, |(key, _)| key.span());
    reader.fault(
        Diagnostic::error("recipe::no-steps", "the recipe has no step", span)
            .help("add one: `[[step]]`, `id = \"hello\"`, `local_command = { command = \"echo hello\" }`"),
    );
}

fn head(recipe: &mut Recipe, reader: &mut Reader<'_>, value: &TomlValue<'_>) {
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

fn unknown_table(reader: &mut Reader<'_>, name: &str, span: Span, value: &TomlValue<'_>) {
    if let Some(fault) = foreign(name, span.clone(), Level::Recipe, "the recipe", TABLES) {
        reader.fault(fault);
    } else if RECIPE_KEYS.contains(&name) && !value.get_ref().is_table() {
        reader.fault(
            Diagnostic::error("recipe::unknown-key", format!("`{name}` is outside of `[recipe]`"), span)
                .help("put `[recipe]` on a line before it"),
        );
    } else {
        reader.unknown_key(name, span, "the recipe", TABLES);
    }
}

fn variables(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Vec<Variable> {
    let Some(table) = reader.table("`[variables]`", value) else { return Vec::new() };
    let mut variables = Vec::with_capacity(table.len());
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let value = if let Toml::String(text) = value.get_ref() {
            reader.cut(text, value.span(), Mode::Plain)
        } else {
            let text = reader.scalar(&variable(name), value).unwrap_or_default();
            Template { parts: vec![Part::Text(text)], span: value.span(), ..Template::default() }
        };
        variables.push(Variable { name: name.to_owned(), span: key.span(), value });
    }
    variables
}

/// Reads a file of `NAME = VALUE` lines; values stand for themselves.
///
/// # Errors
///
/// All its faults.
pub fn values(source: &Source) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut reader = Reader::new(source);
    let (document, syntax) = reader.recovered_document();
    let mut values = Vec::new();
    for (key, value) in &document {
        let name = key.get_ref().as_ref();
        values.extend(reader.scalar(&variable(name), value).map(|value| (name.to_owned(), value)));
    }
    recovery::keep_certain(&mut reader, syntax);
    if reader.faults.is_empty() { Ok(values) } else { Err(reader.into_faults()) }
}

/// What a fault calls a variable.
fn variable(name: &str) -> String {
    format!("variable `{name}`")
}

fn step_tables<'a, 'i>(reader: &mut Reader<'_>, value: &'a TomlValue<'i>) -> Option<&'a [TomlValue<'i>]> {
    if let Toml::Array(tables) = value.get_ref() {
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
