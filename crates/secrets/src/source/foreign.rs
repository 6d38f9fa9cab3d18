//! What a source holds in place of a value.

use crate::foreign_form;
use crate::source::SourceError;

/// Refuses what stands for a value elsewhere: a reference of another tool, or ciphertext. `place` is
/// where it was found.
pub(crate) fn expect_value(place: &str, value: &[u8]) -> Result<(), SourceError> {
    match foreign_form(value) {
        None => Ok(()),
        Some(form) => {
            let (is, hint) = (form.is, form.hint);
            Err(SourceError::unfit(format!("the value of {place} {is}: {hint}")))
        }
    }
}
