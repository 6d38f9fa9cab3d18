//! What is known of a source without asking it.

use std::time::Duration;

/// What is known of a source without asking it.
#[derive(Debug)]
pub struct Kind {
    /// What stands before the colon of a reference, as in `env`.
    pub scheme: &'static str,
    /// One line for help and docs.
    pub summary: &'static str,
    /// Whether Doppio can write to it.
    pub writes: bool,
    /// Whether it keeps older versions.
    pub versions: bool,
    /// What makes it a remote source; none for one of this machine.
    pub remote: Option<RemoteKind>,
}

/// What is known of a source that is asked over a network or through another program: it has a
/// deadline, the run's memory stands before it, and it has a table in the settings.
#[derive(Debug)]
pub struct RemoteKind {
    /// How long one call may take, unless `timeout_secs` says otherwise.
    pub deadline: Duration,
    /// How many items one call of `get_many` and `locate_many` can hold; 1 without a batch call.
    pub batch: usize,
    /// The keys of `[sources.SCHEME]`, besides `timeout_secs`.
    pub keys: &'static [Key],
}

/// How long a call may take, where the kind has no reason for another time.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The key that every remote source has.
pub const TIMEOUT: Key =
    Key { name: "timeout_secs", form: KeyType::Seconds, doc: "how long one call may take, in seconds" };

/// One key of `[sources.SCHEME]` in the user's `config.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What may stand there.
    pub form: KeyType,
    /// One line for help and docs.
    pub doc: &'static str,
}

/// What may stand in a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A text.
    Text,
    /// A path; `~` is the home.
    Path,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A truth.
    Truth,
    /// A number of seconds, at least 1.
    Seconds,
    /// A reference to a secret on this machine, never a value: `env:…`, `keyring:…`, `file:…`,
    /// `command:…`.
    Reference,
}
