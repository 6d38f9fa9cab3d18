//! Asking the user, if there is one.

use crate::SecretValue;

/// Asks the user and tells the user; the terminal implements it, tests do too.
pub trait Prompt: Send + Sync {
    /// A hidden answer, or none where nobody can be asked.
    fn secret(&self, question: &str) -> Option<SecretValue>;

    /// Says something, as a new host key's fingerprint.
    fn notice(&self, text: &str);
}
