//! What can be reported about a text that is not TOML.

use std::collections::HashSet;

use doppio_text::Diagnostic;
use doppio_text::SyntaxFaults;
use doppio_text::table_heads;

use crate::step::Reader;

/// Keeps the faults that stand in tables which were read whole, and adds the errors of the
/// syntax. A fault near a syntax error may be nothing but its echo.
pub(super) fn keep_certain(reader: &mut Reader<'_>, syntax: SyntaxFaults) {
    if syntax.is_empty() {
        return;
    }
    let heads = table_heads(reader.source.text());
    let table_of = |fault: &Diagnostic| heads.partition_point(|head| *head <= fault.primary.span.start);
    let broken: HashSet<usize> = syntax.faults.iter().map(table_of).collect();
    let is_lost = |fault: &Diagnostic| syntax.lost_from.is_some_and(|from| fault.primary.span.end > from);
    reader
        .faults
        .retain(|fault| table_of(fault) > 0 && !broken.contains(&table_of(fault)) && !is_lost(fault));
    reader.faults.extend(syntax.faults);
}
