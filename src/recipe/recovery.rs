//! What can be reported about a text that is not TOML.

use toml::de::Error;

use doppio_text::Diagnostic;
use doppio_text::ENOUGH;
use doppio_text::Source;
use doppio_text::Span;

/// Keeps the faults that stand in tables which were read whole, and adds the errors of the
/// syntax. A fault near a syntax error may be nothing but its echo.
pub(super) fn keep_certain(faults: &mut Vec<Diagnostic>, errors: &[Error], source: &Source) {
    let errors = &errors[..errors.len().min(ENOUGH + 1)];
    let heads = heads(source.text());
    let table_of = |offset: usize| heads.partition_point(|head| *head <= offset);
    let spans: Vec<Span> = errors.iter().map(|error| error.span().unwrap_or(0..0)).collect();
    let mut torn: Vec<usize> = spans.iter().map(|span| table_of(span.start)).collect();
    torn.sort_unstable();
    faults.retain(|fault| {
        let table = table_of(fault.primary.span.start);
        table > 0 && torn.binary_search(&table).is_err()
    });
    faults.extend(errors.iter().zip(spans).map(|(error, span)| fault(error, span, source)));
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

fn fault(error: &Error, span: Span, source: &Source) -> Diagnostic {
    let (message, expected) = match error.message().split_once(", expected ") {
        Some((message, expected)) => (message, Some(expected)),
        None => (error.message(), None),
    };
    let mut fault = Diagnostic::error("recipe::syntax", format!("not TOML: {message}"), span.clone());
    if let Some(expected) = expected {
        fault = fault.label(format!("expected {expected}"));
    }
    if source.text().get(span).is_some_and(|found| found.contains('\\')) {
        fault = fault.help("in `'…'` and `'''…'''` a backslash stands for itself");
    }
    fault
}
