//! Tokens that stand in a recipe's text or on the command line as they are: they are warned of, and shown
//! nowhere.

use doppio_secrets::Mask;
use doppio_secrets::SecretValue;
use doppio_secrets::scan::tokens_in;
use doppio_text::Source;

/// What the mask calls them.
const NAME: &str = "a token";

/// The tokens in some texts.
#[derive(Debug, Default)]
pub(super) struct Literals(Vec<SecretValue>);

impl Literals {
    /// Those of these texts.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let found = |text: &'a str| {
            let tokens = tokens_in(text).into_iter();
            tokens.map(move |(place, _)| SecretValue::new(text.as_bytes()[place].to_vec()))
        };
        Self(texts.into_iter().flat_map(found).collect())
    }

    /// A text without its tokens.
    pub(super) fn masked(text: &str) -> String {
        let literals = Self::of([text]);
        if literals.0.is_empty() { text.to_owned() } else { literals.mask().text(text).as_str().to_owned() }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has a mask know them. One that can't be masked is no token of any vendor.
    pub(super) fn teach(&self, mask: &Mask) {
        for value in &self.0 {
            mask.register(NAME, value).ok();
        }
    }

    /// A mask that knows them and nothing else.
    pub(super) fn mask(&self) -> Mask {
        let mask = Mask::default();
        self.teach(&mask);
        mask
    }
}

/// A text to quote lines of: asterisks stand for its tokens, byte for byte.
pub(super) fn hidden(source: &Source) -> Source {
    let mut text = source.text().to_owned();
    for (place, _) in tokens_in(source.text()) {
        let stars = "*".repeat(place.len());
        text.replace_range(place, &stars);
    }
    Source::new(source.name(), text)
}
