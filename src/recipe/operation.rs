//! The one key of a step that says what it does: its table, read by its kind.

use toml::Spanned;
use toml::de::DeString;
use toml::de::DeValue;

use doppio_text::Source;
use doppio_text::Span;
use doppio_text::closest;

use crate::recipe::Operation;
use crate::recipe::attempt;
use crate::recipe::condition;
use crate::recipe::reader::Reader;
use crate::step::FieldMut;
use crate::step::Mode;
use crate::step::Part;
use crate::step::Step;
use crate::step::StepKind;
use crate::step::Template;

/// Cuts a text that is not shell text.
pub(super) fn cut(reader: &mut Reader, text: &str, span: Span, source: &Source) -> Template {
    cut_as(reader, text, span, source, Mode::Plain)
}

fn cut_as(reader: &mut Reader, text: &str, span: Span, source: &Source, mode: Mode) -> Template {
    let (template, faults) = Template::parse(text, span, source, mode);
    for fault in faults {
        reader.fault(fault);
    }
    template
}

/// Reads an operation's table with all its faults; `many` keeps the table for reading it again.
pub(super) fn read<'s>(
    reader: &mut Reader,
    kind: &'static StepKind,
    span: Span,
    mut value: Spanned<DeValue<'s>>,
    many: bool,
    source: &Source,
) -> Option<Operation<'s>> {
    let unknown = drop_unknown(reader, kind, &mut value);
    let field_spans = field_spans(&value);
    let is_misshapen = condition::stand_in_for_misshapen(reader, &mut value, source);
    let table = many.then(|| value.clone());
    let mut step = attempt::read(reader, kind, value, &unknown)?;
    cut_fields(reader, step.as_mut(), source);
    (unknown.is_empty() && !is_misshapen).then_some(Operation { kind, span, field_spans, step, table })
}

/// Reads the operation of one of many like steps again.
///
/// # Panics
///
/// When the operation was read without its table being kept, which is a bug.
pub fn again(operation: &Operation<'_>, source: &Source) -> Box<dyn Step> {
    let table = operation.table.clone().expect("kept for a step that is there more than once");
    let mut step = (operation.kind.parse)(table.into()).expect("it has been read before");
    cut_fields(&mut Reader::default(), step.as_mut(), source);
    step
}

/// Takes keys that the kind does not know out of the table, and tells which were probably meant.
fn drop_unknown(reader: &mut Reader, kind: &StepKind, value: &mut Spanned<DeValue<'_>>) -> Vec<String> {
    let keys = (kind.keys)();
    let DeValue::Table(table) = value.get_mut() else { return Vec::new() };
    let unknown: Vec<_> = table
        .keys()
        .filter(|key| !keys.is_empty() && !keys.contains(&key.get_ref().as_ref()))
        .cloned()
        .collect();
    let mut meant = Vec::with_capacity(unknown.len());
    for key in &unknown {
        let name = key.get_ref().as_ref();
        reader.unknown_key(name, key.span(), &format!("`{}`", kind.name), keys.iter().copied());
        if reader.has_enough() {
            meant.push(name.to_owned());
            continue;
        }
        meant.push(closest(name, keys.iter().copied()).unwrap_or(name).to_owned());
    }
    for key in &unknown {
        table.remove(key.get_ref().as_ref());
    }
    meant
}

fn field_spans<'s>(value: &Spanned<DeValue<'s>>) -> Vec<(DeString<'s>, Span)> {
    let entry =
        |(key, value): (&Spanned<DeString<'s>>, &Spanned<DeValue<'s>>)| (key.get_ref().clone(), value.span());
    value.get_ref().as_table().map(|table| table.iter().map(entry).collect()).unwrap_or_default()
}

/// Cuts every field at its references.
fn cut_fields(reader: &mut Reader, step: &mut dyn Step, source: &Source) {
    for (_, field) in step.fields() {
        let (template, mode) = match field {
            FieldMut::Plain(text) => (&mut text.0, Mode::Plain),
            FieldMut::Secret(text) => (&mut text.0, Mode::Plain),
            FieldMut::Shell(text) => (&mut text.template, Mode::Shell),
        };
        let [Part::Text(text)] = template.parts.as_slice() else { continue };
        if text.contains('$') {
            *template = cut_as(reader, text, template.span.clone(), source, mode);
        }
    }
}

/// The variables that an operation which can't be read might have set.
pub(super) fn may_set(value: &Spanned<DeValue<'_>>) -> Vec<String> {
    const KEYS: [&str; 4] = ["capture_output", "capture_response", "var_name", "name"];
    let Some(table) = value.get_ref().as_table() else { return Vec::new() };
    let text = |key| table.get(key).and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    KEYS.into_iter().filter_map(text).collect()
}
