//! The text of a whole, as the second view reads it in a stream.

use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::normalised::Normalised;

impl Normalised {
    /// The text of a whole.
    pub(in crate::mask) fn of(whole: &[u8]) -> Encoded {
        let mut normalised = Self::default();
        normalised.feed(whole);
        normalised.finish();
        form(normalised.text.len(), |out| out.extend_from_slice(&normalised.text))
    }

    /// How a whole may read in a stream besides [`Normalised::of`], which may make an escape of its first
    /// bytes with one of the `contexts` before it, and of its last bytes with what follows.
    pub(in crate::mask) fn in_escapes(contexts: &[&[u8]], whole: &[u8]) -> Vec<Encoded> {
        let alone = Self::of(whole);
        let open = alone.len() - Self::before_escape(whole).map_or(alone.len(), |text| text.len());
        let mut all: Vec<Encoded> =
            contexts.iter().filter_map(|context| Self::behind(context, whole)).chain([alone]).collect();
        let closed = |text: &Encoded| {
            let len = text.len().saturating_sub(open);
            form(len, |out| out.extend_from_slice(&text[..len]))
        };
        if open > 0 {
            all.extend(all.iter().map(closed).collect::<Vec<_>>());
        }
        all
    }

    /// The text of a whole without the start of an escape at its end; none where there is none.
    fn before_escape(whole: &[u8]) -> Option<Encoded> {
        let mut normalised = Self::default();
        normalised.feed(whole);
        let mut parser = std::mem::take(&mut normalised.parser);
        parser.finish(|class, bytes| normalised.take(class, bytes));
        let text = &normalised.text;
        (normalised.waits > 0).then(|| form(text.len(), |out| out.extend_from_slice(text)))
    }

    /// What is left of [`Normalised::of`] where `context` stands before it and makes an escape of
    /// its first bytes; none where it does not.
    fn behind(context: &[u8], whole: &[u8]) -> Option<Encoded> {
        let alone = Self::of(whole);
        let together = Self::of(&form(context.len() + whole.len(), |out| {
            out.extend_from_slice(context);
            out.extend_from_slice(whole);
        }));
        let pairs = alone.iter().rev().zip(together.iter().rev());
        let left = pairs.take_while(|(one, other)| one == other).count();
        let rest = &alone[alone.len() - left..];
        (left < alone.len()).then(|| form(left, |out| out.extend_from_slice(rest)))
    }
}
