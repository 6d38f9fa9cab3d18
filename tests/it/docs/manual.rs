//! What docs say of the step types: made of their declarations.

use std::fmt::Write;

use doppio::step::FieldSpec;
use doppio::step::FieldType;
use doppio::step::KINDS;
use doppio::step::Presence;
use doppio::step::conditions;

/// Keys that several step types share: what they are called, where they stand, and who has them; in the order of
/// the step types.
const COMMON: [(&str, &str, &str); 2] = [
    ("common keys", "common-keys", "What runs shell text"),
    ("terms of hire", "terms-of-hire", "What hires a machine"),
];

/// The section of docs/recipe.md on operations and conditions.
pub(super) fn manual() -> String {
    let mut text = String::new();
    let mut common: Vec<&[FieldSpec]> = Vec::new();
    for kind in KINDS {
        write!(text, "### `{}`\n\n{}.\n\n", kind.spec.name, kind.spec.doc()).unwrap();
        write!(text, "```toml step\n{}\n```\n\n", kind.spec.example).unwrap();
        fields(&mut text, kind.spec.own);
        if !kind.spec.common.is_empty() {
            let keys = kind.spec.common;
            let known = common.iter().position(|other| std::ptr::eq(*other, keys));
            let at = known.unwrap_or_else(|| {
                common.push(keys);
                common.len() - 1
            });
            let (title, link, _) = COMMON[at];
            writeln!(text, "\nAnd the [{title}](#{link}).").unwrap();
        }
        text.push('\n');
    }
    for ((title, _, who), keys) in COMMON.iter().zip(common) {
        let (first, rest) = title.split_at(1);
        write!(text, "### {}{rest}\n\n{who} has these, too.\n\n", first.to_uppercase()).unwrap();
        fields(&mut text, keys);
        text.push('\n');
    }
    text.push_str("### Conditions\n\n| condition | its keys | holds if | example |\n|---|---|---|---|\n");
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
