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
    // One that stands nowhere is about something that is not there, and may have been lost.
    let is_nowhere = |fault: &Diagnostic| table_of(fault) == 0 || fault.primary.span.end == 0;
    reader.faults.retain(|fault| !is_nowhere(fault) && !broken.contains(&table_of(fault)) && !is_lost(fault));
    reader.faults.extend(syntax.faults);
}

#[cfg(test)]
mod tests {
    use doppio_text::Source;

    use super::*;

    #[test]
    fn what_stands_nowhere_is_taken_for_an_echo() {
        let source = Source::new("x.toml", "[recipe]\nname = \"x\"\n[[step]]\nid =\n");
        let mut reader = Reader::new(&source);
        let (_, syntax) = reader.recovered_document();
        reader.fault(Diagnostic::error("x", "the recipe has no step", 0..0));
        reader.fault(Diagnostic::error("x", "stands in a whole table", 9..13));
        keep_certain(&mut reader, syntax);
        let messages: Vec<_> = reader.faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages, ["stands in a whole table", "there is no value"]);
    }
}
