//! The one key of a step that says what it does: its table, read by its kind.

use doppio_text::Span;
use doppio_text::TomlValue;

use crate::recipe::Operation;
use crate::step::Reader;
use crate::step::StepKind;

/// Reads an operation's table with all its faults.
pub(super) fn read(
    reader: &mut Reader<'_>,
    kind: &'static StepKind,
    span: Span,
    value: &TomlValue<'_>,
) -> Option<Operation> {
    let parsed = kind.read(reader, value)?;
    let field_spans = value.get_ref().as_table().map_or_else(Vec::new, |table| {
        kind.spec.keys().filter_map(|key| Some((key, table.get(key)?.span()))).collect()
    });
    Some(Operation { kind, span, field_spans, parsed })
}

/// The variables that an operation which can't be read might have set.
pub(super) fn may_set(value: &TomlValue<'_>) -> Vec<String> {
    const KEYS: [&str; 4] = ["capture_output", "capture_response", "var_name", "name"];
    let Some(table) = value.get_ref().as_table() else { return Vec::new() };
    let text = |key| table.get(key).and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    KEYS.into_iter().filter_map(text).collect()
}
