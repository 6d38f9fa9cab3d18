//! What docs say of the step types: made of their declarations.

use std::fmt::Write;

use doppio::step::FieldSpec;
use doppio::step::FieldType;
use doppio::step::KINDS;
use doppio::step::Presence;
use doppio::step::conditions;

/// The section of docs/recipe.md on operations and conditions.
pub(super) fn manual() -> String {
    let mut text = String::new();
    let mut common: &[FieldSpec] = &[];
    for kind in KINDS {
        write!(text, "### `{}`\n\n{}.\n\n", kind.spec.name, kind.spec.doc()).unwrap();
        write!(text, "```toml step\n{}\n```\n\n", kind.spec.example).unwrap();
        fields(&mut text, kind.spec.own);
        if !kind.spec.common.is_empty() {
            common = kind.spec.common;
            text.push_str("\nAnd the [common keys](#common-keys).\n");
        }
        text.push('\n');
    }
    text.push_str("### Common keys\n\nWhat runs shell text has these, too.\n\n");
    fields(&mut text, common);
    text.push_str("\n### Conditions\n\n| condition | its keys | holds if | example |\n|---|---|---|---|\n");
    for kind in conditions() {
        let keys: Vec<String> = kind.own.iter().map(key).collect();
        let keys = if keys.is_empty() { "–".to_owned() } else { keys.join(", ") };
        let (name, example) = (kind.name, kind.example);
        writeln!(text, "| `{name}` | {keys} | {} | `{example}` |", escaped(kind.doc())).unwrap();
    }
    text
}

fn fields(text: &mut String, fields: &[FieldSpec]) {
    text.push_str("| key | is | default | meaning |\n|---|---|---|---|\n");
    for field in fields {
        let default = match field.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(value) => format!("`{}`", value().to_string().trim_matches('"')),
        };
        let doc = escaped(&meaning(field));
        writeln!(text, "| `{}` | {} | {default} | {doc} |", field.name, field.kind).unwrap();
    }
}

/// What a field is for, and what each of its words means.
fn meaning(field: &FieldSpec) -> String {
    let FieldType::OneOf(words) = field.kind else { return field.doc().to_owned() };
    let words: Vec<String> = words.iter().map(|(word, doc)| format!("`{word}`: {}", within(doc))).collect();
    format!("{}. {}", field.doc(), words.join("; "))
}

/// A sentence within another one.
fn within(doc: &str) -> String {
    let mut letters = doc.trim().trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A key of a condition, and its default.
fn key(field: &FieldSpec) -> String {
    match field.presence {
        Presence::Default(value) => format!("`{}` ({})", field.name, value()),
        Presence::Required | Presence::Optional => format!("`{}`", field.name),
    }
}

/// A bar ends a cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
