//! What Doppio itself logs in with: tokens, keys, passwords of sources. A server, or a proxy before
//! it, may repeat a request in its refusal, so nothing that a source says leaves without passing a mask
//! that knows them; and the mask of the run knows them as well.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use doppio_text::shown;

use crate::Mask;
use crate::SecretValue;
use crate::Weakness;
use crate::source::Metadata;
use crate::source::SourceError;

/// Where a text of others was cut: a secret may have been cut there, too.
const CUT: char = '…';

/// The logins of a program's sources. Clones share what they know.
#[derive(Clone, Default)]
pub struct Logins(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Logins, and what was sent with them.
    own: Mask,
    learnt: Mutex<Learnt>,
}

#[derive(Default)]
struct Learnt {
    logins: Vec<(String, SecretValue)>,
    runs: Vec<Mask>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logins")
    }
}

impl Logins {
    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.0.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns what is about to be sent as a login; `name` is what the mask calls it, as in `vault
    /// token`.
    pub fn learn(&self, name: &str, value: &SecretValue) {
        let mut learnt = self.learnt();
        if learnt.logins.iter().any(|(_, known)| known.is_same(value)) {
            return;
        }
        self.0.own.register(name, value).ok();
        for run in &learnt.runs {
            teach(run, name, value);
        }
        learnt.logins.push((name.to_owned(), value.clone()));
    }

    /// Learns what is about to be sent as a value, which a refusal may repeat.
    pub fn send(&self, value: &SecretValue) {
        self.0.own.register("value", value).ok();
    }

    /// Has the mask of a run know all of them, those that are still to come included.
    pub fn teach(&self, run: &Mask) {
        let mut learnt = self.learnt();
        for (name, value) in &learnt.logins {
            teach(run, name, value);
        }
        learnt.runs.push(run.clone());
    }

    /// A text of a source in one line, fit to be shown, without what it was sent.
    fn hide(&self, text: &str) -> String {
        let text = shown(text);
        let mut parts = text.split(CUT);
        let last = parts.next_back().unwrap_or_default();
        let mut hidden = String::with_capacity(text.len());
        for part in parts {
            // What could still become one of them is left out with what was cut away.
            hidden.push_str(self.0.own.stream().push(part.as_bytes()).as_str());
            hidden.push(CUT);
        }
        hidden + self.0.own.text(last).as_str()
    }

    /// An error of a source, without what the source was sent.
    pub(super) fn hidden(&self, error: SourceError) -> SourceError {
        match error {
            SourceError::Missing => SourceError::Missing,
            SourceError::Absent { cause } => SourceError::Absent { cause: self.hide(&cause) },
            SourceError::NotAllowed { cause, hint } => {
                SourceError::not_allowed(self.hide(&cause), self.hide(&hint))
            }
            SourceError::Unreachable { cause, hint } => {
                SourceError::unreachable(self.hide(&cause), self.hide(&hint))
            }
            SourceError::Unfit { cause } => SourceError::unfit(self.hide(&cause)),
        }
    }

    /// The same of what a source says of an item: its warnings may quote a refusal.
    pub(super) fn without(&self, metadata: Metadata) -> Metadata {
        let warnings = metadata.warnings.iter().map(|warning| self.hide(warning)).collect();
        Metadata { warnings, ..metadata }
    }
}

/// A login that is a common word, as the token `root` of a server for trials, would blank out ordinary
/// output: it is hidden from errors only.
fn teach(run: &Mask, name: &str, value: &SecretValue) {
    if Mask::weakness(value) != Some(Weakness::Common) {
        run.register(name, value).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "hvs.CAESIJ-made-up-for-tests-4fQ7";

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    // case L2
    #[test]
    fn a_login_is_hidden_from_errors_and_from_runs_before_and_after() {
        let logins = Logins::default();
        let (before, after) = (Mask::default(), Mask::default());
        logins.teach(&before);
        logins.learn("vault token", &secret(TOKEN));
        logins.teach(&after);
        for mask in [before, after] {
            assert_eq!(mask.text(TOKEN).as_str(), "***");
        }
        let words = format!("bad request: X-Vault-Token: {TOKEN}\u{1b}[2J");
        let error = logins.hidden(SourceError::unreachable(&words, &words));
        assert_eq!(error.to_string(), "bad request: X-Vault-Token: ***");
        assert_eq!(error.hint(), Some("bad request: X-Vault-Token: ***"));
        logins.send(&secret("correct-horse-battery"));
        assert_eq!(logins.hide("it is correct-horse-battery"), "it is ***");
    }

    // case L2
    #[test]
    fn a_login_that_was_cut_is_hidden_as_well() {
        let logins = Logins::default();
        logins.learn("vault token", &secret(TOKEN));
        for length in 5..TOKEN.len() {
            let hidden = logins.hide(&format!("token {}… more", &TOKEN[..length]));
            assert!(!hidden.contains(&TOKEN[..5]), "{hidden}");
            assert!(hidden.starts_with("token ") && hidden.ends_with("… more"), "{hidden}");
        }
    }

    #[test]
    fn a_common_word_is_hidden_from_errors_only() {
        let (logins, run) = (Logins::default(), Mask::default());
        logins.teach(&run);
        logins.learn("vault token", &secret("root"));
        assert_eq!(run.text("as root").as_str(), "as root");
        assert_eq!(logins.hide("token root"), "token ***");
    }
}
