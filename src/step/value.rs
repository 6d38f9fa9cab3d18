//! The value of a variable or a result.

use regex::bytes::Regex;

use doppio_secrets::Cut;
use doppio_secrets::Mask;
use doppio_secrets::Registered;
use doppio_secrets::Unmaskable;

/// A text may be this long once its references are resolved, in bytes: as long as what a step may
/// capture.
pub(super) const LONGEST: usize = 16 << 20;

/// The value of a variable or a result.
#[derive(Debug, Clone)]
pub enum Value {
    /// Ordinary text.
    Plain(String),
    /// Text that contains a secret: it may go where secrets may go. The mask knows what is secret of it.
    Secret(Registered),
}

impl Default for Value {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Value {
    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            #[expect(clippy::disallowed_methods, reason = "only the length leaves")]
            Self::Secret(value) => value.value().reveal(<[u8]>::len),
        }
    }

    /// What the expression's one group matches. Of a secret it is one itself, which the mask knows as
    /// `name` from then on.
    ///
    /// # Errors
    ///
    /// When it is a secret that can't be masked.
    pub fn capture(&self, regex: &Regex, mask: &Mask, name: &str) -> Result<Option<Self>, Unmaskable> {
        let group =
            |bytes: &[u8]| regex.captures(bytes).and_then(|found| found.get(1)).map(|group| group.range());
        let text = |bytes: &[u8]| Self::Plain(String::from_utf8_lossy(bytes).into_owned());
        match self {
            Self::Plain(whole) => Ok(group(whole.as_bytes()).map(|range| text(&whole.as_bytes()[range]))),
            Self::Secret(whole) => {
                #[expect(clippy::disallowed_methods, reason = "only the place of the group is taken out")]
                let Some(range) = whole.value().reveal(group) else { return Ok(None) };
                Ok(Some(match whole.cut(mask, name, range)? {
                    Cut::Text(bytes) => text(&bytes),
                    Cut::Secret(part) => Self::Secret(part),
                }))
            }
        }
    }
}
