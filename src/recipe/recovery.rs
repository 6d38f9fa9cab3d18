//! What can be reported about a text that is not TOML.

use toml::de::Error;

use doppio_text::ENOUGH;
use doppio_text::Span;

use crate::step::Reader;

/// Keeps the faults that stand in tables which were read whole, and adds the errors of the
/// syntax. A fault near a syntax error may be nothing but its echo.
pub(super) fn keep_certain(reader: &mut Reader<'_>, errors: &[Error]) {
    let errors = &errors[..errors.len().min(ENOUGH + 1)];
    let heads = heads(reader.source.text());
    let table_of = |offset: usize| heads.partition_point(|head| *head <= offset);
    let spans: Vec<Span> = errors.iter().map(|error| error.span().unwrap_or(0..0)).collect();
    let mut broken: Vec<usize> = spans.iter().map(|span| table_of(span.start)).collect();
    broken.sort_unstable();
    reader.faults.retain(|fault| {
        let table = table_of(fault.primary.span.start);
        table > 0 && broken.binary_search(&table).is_err()
    });
    for error in errors {
        let fault = reader.syntax_fault(error);
        reader.faults.push(fault);
    }
}

/// Offsets of the lines that begin a table.
fn heads(text: &str) -> Vec<usize> {
    let mut heads = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            heads.push(offset);
        }
        offset += line.len();
    }
    heads
}
