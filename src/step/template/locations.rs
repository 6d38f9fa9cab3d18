//! Where in the file a reference stands.

use doppio_text::Source;
use doppio_text::Span;

/// The locations of references: each is looked for in the literal as the file has it, after the one
/// before. Where escapes hide one, the whole literal stands in for it and for all after it.
pub(super) struct Locations<'a> {
    source: &'a Source,
    whole: Span,
    next: Option<usize>,
}

impl<'a> Locations<'a> {
    pub(super) fn new(source: &'a Source, whole: Span) -> Self {
        let next = source.text().get(whole.clone()).map(|_| whole.start);
        Self { source, whole, next }
    }

    pub(super) fn find(&mut self, raw: &str) -> Span {
        let start = self.next.and_then(|next| {
            self.source.text()[next..self.whole.end].find(raw).map(|distance| next + distance)
        });
        self.next = start.map(|start| start + raw.len());
        start.map_or_else(|| self.whole.clone(), |start| start..start + raw.len())
    }

    pub(super) fn text(&self, span: &Span) -> Option<&'a str> {
        self.source.text().get(span.clone())
    }
}
