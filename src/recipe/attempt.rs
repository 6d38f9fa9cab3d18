//! Reads an operation with its kind's deserializer, which stops at its first fault, until all
//! faults are known: what was at fault is taken out or stood in for, and the rest read again.

use toml::Spanned;
use toml::de::DeInteger;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::de::Error;

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;

use crate::recipe::reader::Reader;
use crate::recipe::reader::described;
use crate::step::Step;
use crate::step::StepKind;

/// The number of faults that are reported of one operation at once.
const MOST_FAULTS: usize = 20;

/// The place of a value that stands in for a missing one.
const STAND_IN: Span = usize::MAX..usize::MAX;

/// Reads the table, or says everything that is wrong with it. Of the `excused` keys it is known
/// already why they are missing.
pub(super) fn read(
    reader: &mut Reader,
    kind: &'static StepKind,
    value: Spanned<DeValue<'_>>,
    excused: &[String],
) -> Option<Box<dyn Step>> {
    let whole = value.span();
    if !value.get_ref().is_table() {
        reader.fault(
            Diagnostic::error("recipe::wrong-type", format!("`{}` must be a table", kind.name), whole)
                .label(format!("found {}", described(value.get_ref())))
                .help(format!("a complete example: {}", kind.example)),
        );
        return None;
    }
    let mut error = match (kind.parse)(value.clone().into()) {
        Ok(step) => return Some(step),
        Err(error) => error,
    };
    let mut value = value;
    let mut removed = excused.to_vec();
    for _ in 0..MOST_FAULTS {
        if reader.has_enough() {
            break;
        }
        let span = error.span().unwrap_or_else(|| whole.clone());
        if span == STAND_IN {
            if !next_stand_in(&mut value) {
                break;
            }
        } else if let Some(field) = missing_field(&error) {
            if !removed.iter().any(|name| name == field) {
                reader.fault(missing(kind, field, span.clone()));
            }
            if !stand_in(&mut value, &span, field) {
                break;
            }
        } else {
            let is_key = is_key(&value, &span);
            let path = remove(&mut value, &span);
            reader.fault(fault(kind, &error, span, path.as_deref(), is_key));
            // The rest has no meaning without the key that gives its kind.
            let Some(name) = path.filter(|_| !(is_key && is_variant(&error))) else { break };
            removed.push(name);
        }
        error = match (kind.parse)(value.clone().into()) {
            Ok(_) => break,
            Err(error) => error,
        };
    }
    None
}

fn missing_field(error: &Error) -> Option<&str> {
    error.message().strip_prefix("missing field `")?.strip_suffix('`')
}

fn missing(kind: &StepKind, field: &str, span: Span) -> Diagnostic {
    Diagnostic::error("recipe::missing-key", format!("`{}` needs `{field}`", kind.name), span)
        .label(format!("no `{field}`"))
        .help(format!("a complete example: {}", kind.example))
}

fn is_variant(error: &Error) -> bool {
    error.message().starts_with("unknown variant `")
}

/// Whether a key stands at the place.
fn is_key(value: &Spanned<DeValue<'_>>, span: &Span) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().any(|(key, value)| key.span() == *span || is_key(value, span)),
        DeValue::Array(items) => items.iter().any(|item| is_key(item, span)),
        _ => false,
    }
}

/// serde's message, in our words.
fn fault(kind: &StepKind, error: &Error, span: Span, field: Option<&str>, is_key: bool) -> Diagnostic {
    let message = error.message();
    let place = field.map_or_else(|| format!("`{}`", kind.name), |field| format!("`{field}`"));
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        let found = if found.starts_with("string") { "a string" } else { found };
        return Diagnostic::error(
            "recipe::wrong-type",
            format!("{place} must be {}", in_words(expected)),
            span,
        )
        .label(format!("found {found}"));
    }
    for (prefix, code) in
        [("unknown field `", "recipe::unknown-key"), ("unknown variant `", "recipe::unknown-value")]
    {
        let Some((found, rest)) = message.strip_prefix(prefix).and_then(|rest| rest.split_once('`')) else {
            continue;
        };
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let fault = if is_key {
            Diagnostic::error(
                "recipe::unknown-key",
                format!("unknown key `{found}` in `{}`", kind.name),
                span.clone(),
            )
        } else {
            Diagnostic::error(code, format!("{place} can't be `{found}`"), span.clone())
        };
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let fault = fault.help(format!("write one of {list}"));
        return match closest(found, known) {
            Some(near) if is_key => fault.edit(span, near),
            Some(near) => fault.edit(span, format!("\"{near}\"")),
            None => fault,
        };
    }
    if let Some(fault) = unexpected_key(message, &span) {
        return fault;
    }
    Diagnostic::error("recipe::invalid-value", format!("{place}: {message}"), span)
}

/// A key too many in the table of a variant.
fn unexpected_key(message: &str, span: &Span) -> Option<Diagnostic> {
    let (found, known) =
        message.strip_prefix("unexpected keys in table: ")?.split_once(", available keys: ")?;
    let fault = Diagnostic::error("recipe::unknown-key", format!("unknown key `{found}`"), span.clone());
    let known: Vec<&str> = known.split(", ").collect();
    Some(match closest(found, known.iter().copied()) {
        Some(near) => fault.help("a key with a similar name exists").edit(span.clone(), near),
        None => fault.help(format!("known keys: `{}`", known.join("`, `"))),
    })
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        _ => expected,
    }
}

/// Takes out the smallest entry that holds the place, and names the key that it stands under.
fn remove(value: &mut Spanned<DeValue<'_>>, span: &Span) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => {
            let (key, inner) = table.iter_mut().find(|(key, value)| {
                key.span() == *span || holds(&value.span(), span) || contains(value, span)
            })?;
            let name = key.get_ref().clone().into_owned();
            if key.span() == *span || inner.span() == *span {
                table.remove(name.as_str());
                return Some(name);
            }
            let below = remove(inner, span);
            if below.is_none() {
                table.remove(name.as_str());
            }
            Some(below.filter(|below| !below.is_empty()).unwrap_or(name))
        }
        DeValue::Array(items) => {
            let at = items.iter().position(|item| holds(&item.span(), span) || contains(item, span))?;
            let item = items.get_mut(at)?;
            if item.span() != *span
                && let Some(below) = remove(item, span)
            {
                return Some(below);
            }
            *item = Spanned::new(STAND_IN, DeValue::String("".into()));
            Some(String::new())
        }
        _ => None,
    }
}

fn holds(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a place is inside: the span of a table with a header is its header alone.
fn contains(value: &Spanned<DeValue<'_>>, span: &Span) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .any(|(key, value)| key.span() == *span || holds(&value.span(), span) || contains(value, span)),
        DeValue::Array(items) => items.iter().any(|item| holds(&item.span(), span) || contains(item, span)),
        _ => false,
    }
}

/// Puts a value where one is missing, so that the rest can be read.
fn stand_in(value: &mut Spanned<DeValue<'_>>, table_span: &Span, field: &str) -> bool {
    let Some(table) = table_at(value, table_span) else { return false };
    let key = Spanned::new(STAND_IN, field.to_owned().into());
    table.insert(key, Spanned::new(STAND_IN, DeValue::String("".into()))).is_none()
}

fn table_at<'a, 's>(value: &'a mut Spanned<DeValue<'s>>, span: &Span) -> Option<&'a mut DeTable<'s>> {
    let is_here = value.span() == *span;
    match value.get_mut() {
        DeValue::Table(table) => {
            if is_here {
                return Some(table);
            }
            table.iter_mut().find_map(|(_, value)| table_at(value, span))
        }
        DeValue::Array(items) => items.iter_mut().find_map(|item| table_at(item, span)),
        _ => None,
    }
}

/// Tries another type for the value that stands in; false if no type is left.
fn next_stand_in(value: &mut Spanned<DeValue<'_>>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => table.iter_mut().any(|(_, value)| replace_stand_in(value)),
        DeValue::Array(items) => items.iter_mut().any(replace_stand_in),
        _ => false,
    }
}

fn replace_stand_in(value: &mut Spanned<DeValue<'_>>) -> bool {
    if value.span() != STAND_IN {
        return next_stand_in(value);
    }
    let next = match value.get_ref() {
        DeValue::String(_) => DeValue::Integer(DeInteger::default()),
        DeValue::Integer(_) => DeValue::Boolean(false),
        DeValue::Boolean(_) => DeValue::Array(toml::de::DeArray::new()),
        DeValue::Array(_) => DeValue::Table(DeTable::new()),
        _ => return false,
    };
    *value.get_mut() = next;
    true
}
