//! What can be reported about a text that is not TOML.

use std::collections::HashSet;

use doppio_text::Diagnostic;

use crate::step::Reader;

/// Keeps the faults that stand in tables which were read whole, and adds the errors of the
/// syntax. A fault near a syntax error may be nothing but its echo.
pub(super) fn keep_certain(reader: &mut Reader<'_>, syntax: Vec<Diagnostic>) {
    if syntax.is_empty() {
        return;
    }
    let heads = heads(reader.source.text());
    let table_of = |fault: &Diagnostic| heads.partition_point(|head| *head <= fault.primary.span.start);
    let broken: HashSet<usize> = syntax.iter().map(table_of).collect();
    reader.faults.retain(|fault| table_of(fault) > 0 && !broken.contains(&table_of(fault)));
    reader.faults.extend(syntax);
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
