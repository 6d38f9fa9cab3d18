//! The terminal as somebody who can be asked.

use crate::cli::context::Context;
use crate::cli::output;
use crate::secret::Prompt;
use crate::secret::SecretValue;

/// Asks on the terminal; where stdin or stderr is none, nobody is there.
#[derive(Debug)]
pub(super) struct Terminal {
    attended: bool,
}

impl Terminal {
    /// The terminal of this process.
    pub(super) fn new(context: &Context) -> Self {
        Self { attended: is_attended(context) }
    }
}

/// Whether somebody is there to answer.
pub(super) fn is_attended(context: &Context) -> bool {
    context.stdin_is_terminal && context.stderr_is_terminal
}

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> Option<SecretValue> {
        if !self.attended {
            return None;
        }
        rpassword::prompt_password(format!("{question}: "))
            .ok()
            .map(|answer| SecretValue::new(answer.into_bytes()))
    }

    fn notice(&self, text: &str) {
        output::line(text);
    }
}
