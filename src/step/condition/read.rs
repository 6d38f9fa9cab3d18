//! Reading a condition: a table whose one key is its kind, or a mere word.

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::Toml;
use doppio_text::TomlTable;
use doppio_text::TomlValue;
use doppio_text::closest;
use doppio_text::has_controls;

use crate::step::FieldType;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::Spec;
use crate::step::condition::kinds::Condition;
use crate::step::condition::kinds::KINDS;
use crate::step::condition::kinds::Parsed;
use crate::step::condition::kinds::read_fields;
use crate::step::described;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::Table;

/// The longest text of a recipe that a fault repeats, in bytes.
const LONGEST_SHOWN: usize = 60;

/// The kinds that are made of others, or of nothing.
const MADE: &[Spec] = &[
    made(
        "not",
        "{ not = { file_exists = { path = \"/workspace/lock\" } } }",
        "The condition inside does not hold.",
    ),
    made(
        "and",
        "{ and = [{ port_open = { port = 8080 } }, { file_exists = { path = \"/workspace/model\" } }] }",
        "All of the list hold; true if there are none.",
    ),
    made(
        "or",
        "{ or = [{ port_open = { port = 8080 } }, { port_open = { port = 8081 } }] }",
        "One of the list holds; false if there are none.",
    ),
    made("always", "\"always\"", "True."),
    made("never", "\"never\"", "False."),
];

const fn made(name: &'static str, example: &'static str, doc: &'static str) -> Spec {
    Spec { name, example, doc, own: &[], common: &[] }
}

/// Every kind of condition, in the order in which help lists them.
pub fn conditions() -> impl Iterator<Item = &'static Spec> + Clone {
    KINDS.iter().chain(MADE)
}

impl Field for Condition {
    type Parsed = Parsed;

    const TYPE: FieldType = FieldType::Condition;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Parsed> {
        read(reader, entry.value, entry.what)
    }

    fn plan(parsed: &Parsed, _: &str, planner: &mut dyn Planner) -> Self {
        parsed.plan(planner)
    }
}

/// Reads a condition; `what` is what messages call the field where it stands.
pub(super) fn read(reader: &mut Reader<'_>, value: &TomlValue<'_>, what: &str) -> Option<Parsed> {
    match value.get_ref() {
        Toml::String(text) => word(reader, text, value.span(), what),
        Toml::Table(table) => entries(reader, table, value.span(), what),
        other => fault(reader, must_be(what), value.span(), found(other), "file_exists"),
    }
}

/// A condition that is a bare word: only those without keys can be.
fn word(reader: &mut Reader<'_>, text: &str, span: Span, what: &str) -> Option<Parsed> {
    match text {
        "always" => Some(Parsed::Always),
        "never" => Some(Parsed::Never),
        kind if example(kind).is_some() => {
            let message = format!("condition `{kind}` must be a table");
            fault(reader, message, span, "found only its name".to_owned(), kind)
        }
        _ => {
            let fault = Diagnostic::error("recipe::condition", must_be(what), span.clone());
            let fault = fault.label("found a string");
            reader.fault(match closest(text, ["always", "never"]) {
                Some(near) => {
                    fault.help("a condition with a similar name exists").edit(span, format!("\"{near}\""))
                }
                None => fault
                    .help(format!("{}; an expression can stand in the step's `when`", written("var_equals"))),
            });
            None
        }
    }
}

fn entries(reader: &mut Reader<'_>, table: &TomlTable<'_>, span: Span, what: &str) -> Option<Parsed> {
    let mut entries = table.iter();
    match (entries.next(), entries.next()) {
        (Some((kind, inner)), None) => match kind.get_ref().as_ref() {
            "type" | "kind" => by_name(reader, kind.get_ref(), inner, &[], span),
            name => one(reader, name, kind.span(), inner),
        },
        (None, _) => fault(reader, must_be(what), span, "found an empty table".to_owned(), "file_exists"),
        _ => several(reader, table, span),
    }
}

/// What stands under the one key.
fn one(reader: &mut Reader<'_>, kind: &str, key: Span, inner: &TomlValue<'_>) -> Option<Parsed> {
    match (kind, inner.get_ref()) {
        ("not", _) => read(reader, inner, "`not`").map(|inner| Parsed::Not(Box::new(inner))),
        ("and", Toml::Array(items)) => all(reader, items, "`and`").map(Parsed::And),
        ("or", Toml::Array(items)) => all(reader, items, "`or`").map(Parsed::Or),
        ("and" | "or", other) => {
            fault(reader, format!("`{kind}` must be a list of conditions"), inner.span(), found(other), kind)
        }
        ("always", Toml::Table(table)) if table.is_empty() => Some(Parsed::Always),
        ("never", Toml::Table(table)) if table.is_empty() => Some(Parsed::Never),
        ("always" | "never", other) => {
            fault(reader, format!("condition `{kind}` takes no value"), inner.span(), found(other), kind)
        }
        (_, value) => match (KINDS.iter().find(|known| known.name == kind), value) {
            (Some(owner), Toml::Table(table)) => {
                let mut table = Table::new(reader, *owner, table, inner.span());
                let read = read_fields(kind, &mut table);
                table.whole(read)
            }
            (Some(_), other) => {
                let message = format!("condition `{kind}` must be a table");
                fault(reader, message, inner.span(), found(other), kind)
            }
            (None, _) => unknown(reader, kind, key),
        },
    }
}

fn all(reader: &mut Reader<'_>, items: &[TomlValue<'_>], what: &str) -> Option<Vec<Parsed>> {
    // All are read, whatever is wrong with the first.
    let read: Vec<_> = items.iter().map(|item| read(reader, item, what)).collect();
    read.into_iter().collect()
}

fn unknown(reader: &mut Reader<'_>, kind: &str, span: Span) -> Option<Parsed> {
    let message = format!("no condition is called `{kind}`");
    let fault = Diagnostic::error("recipe::condition", message, span.clone());
    reader.fault(match closest(kind, conditions().map(|kind| kind.name)) {
        Some(near) => fault.help("a condition with a similar name exists").edit(span, near),
        None => fault.help(kinds()),
    });
    None
}

/// A table with several keys: of the form `{ type = "file_exists", … }`, or two conditions.
fn several(reader: &mut Reader<'_>, table: &TomlTable<'_>, span: Span) -> Option<Parsed> {
    let named = table.iter().find(|(key, _)| matches!(key.get_ref().as_ref(), "type" | "kind"));
    if let Some((named, kind)) = named {
        let rest = table.iter().filter(|(key, _)| key.span() != named.span());
        let rest = rest.map(|(key, value)| format!("{} = {}", key.get_ref(), shown(reader, value)));
        let rest: Vec<String> = rest.collect();
        return by_name(reader, named.get_ref(), kind, &rest, span);
    }
    let keys: Vec<String> = table.keys().map(|key| format!("`{}`", key.get_ref())).collect();
    let is_kind = |key: &&str| example(key).is_some();
    let kinds: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).filter(is_kind).collect();
    let (message, like) = match kinds[..] {
        [kind] => (format!("the keys of condition `{kind}` belong in its table"), kind),
        [] => ("a condition has one key, its kind".to_owned(), "file_exists"),
        _ => ("a condition has one key, its kind".to_owned(), "and"),
    };
    fault(reader, message, span, format!("found {}", keys.join(", ")), like)
}

/// The form with `type`, and what it should be.
fn by_name(
    reader: &mut Reader<'_>,
    key: &str,
    kind: &TomlValue<'_>,
    rest: &[String],
    span: Span,
) -> Option<Parsed> {
    let kind = kind.get_ref().as_str().unwrap_or_default();
    let message = format!("a condition's key is its kind; it has no `{key}`");
    let takes_keys = MADE.iter().all(|made| made.name != kind);
    let help = match example(kind) {
        None => format!("{}; {}", written("file_exists"), kinds()),
        Some(_) if takes_keys && !rest.is_empty() => {
            format!("write `condition = {{ {kind} = {{ {} }} }}`", rest.join(", "))
        }
        Some(_) => written(kind),
    };
    reader.fault(Diagnostic::error("recipe::condition", message, span).help(help));
    None
}

/// A value as it stands in the recipe, unless it is long.
fn shown<'s>(reader: &Reader<'s>, value: &TomlValue<'_>) -> &'s str {
    let text = reader.source.text().get(value.span()).unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST_SHOWN || has_controls(text) { "…" } else { text }
}

fn found(value: &Toml<'_>) -> String {
    format!("found {}", described(value))
}

fn fault(reader: &mut Reader<'_>, message: String, span: Span, label: String, like: &str) -> Option<Parsed> {
    reader.fault(Diagnostic::error("recipe::condition", message, span).label(label).help(written(like)));
    None
}

fn example(kind: &str) -> Option<&'static str> {
    conditions().find(|known| known.name == kind).map(|known| known.example)
}

fn must_be(what: &str) -> String {
    format!("{what} must be a table whose one key is the kind of condition")
}

fn written(kind: &str) -> String {
    format!("write it as in `condition = {}`", example(kind).unwrap_or_default())
}

fn kinds() -> String {
    let names: Vec<String> = conditions().map(|kind| format!("`{}`", kind.name)).collect();
    format!("the kinds are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use doppio_text::Source;

    use super::*;

    fn read(text: &str) -> Result<Parsed, Vec<String>> {
        let source = Source::new("r.toml", format!("condition = {text}"));
        let mut reader = Reader::new(&source);
        let table = reader.document();
        let read = super::read(&mut reader, &table["condition"], "`condition`");
        assert_eq!(read.is_some(), reader.faults.is_empty(), "{text}: {:?}", reader.faults);
        read.ok_or_else(|| reader.into_faults().into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn old_and_new_forms_are_read() {
        for text in [
            "\"always\"",
            "{ always = {} }",
            "{ not = \"never\" }",
            "{ and = [\"always\", { var_equals = { name = \"a\", value = \"b\" } }] }",
            "{ gpu_available = { host_id = \"h\" } }",
            "{ tmux_exited = { session_name = \"train\" } }",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
        assert!(read("{ file_exists = { path = \"a\" }, always = {} }").is_err());
        assert!(read("{ file_exists = { path = \"a\", pth = \"b\" } }").is_err());
    }

    #[test]
    fn all_that_is_wrong_inside_is_told() {
        let faults = read(
            "{ and = [{ port_open = { port = 70000 } }, { not = { file_exist = {} } }, { file_exists = {} }] }",
        );
        assert_eq!(
            faults.expect_err("three faults"),
            [
                "`port` must be a whole number from 0 to 65535",
                "no condition is called `file_exist`",
                "`file_exists` needs `path`"
            ]
        );
    }

    #[test]
    fn every_example_is_right() {
        for Spec { name, example, .. } in conditions() {
            assert!(read(example).is_ok() && example.contains(name), "{example}: {:?}", read(example));
        }
    }
}
