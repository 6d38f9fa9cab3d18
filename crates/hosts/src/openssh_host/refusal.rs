//! Why `ssh` did not log in, from its own words.

use std::io;
use std::time::Duration;

use doppio_text::brief;
use doppio_text::shell::typed;

use crate::HostError;
use crate::HostSpec;
use crate::Stage;
use crate::error::seconds;

/// A login that did not come about.
pub(super) struct Refused {
    pub error: HostError,
    /// Whether another try may do better.
    pub is_passing: bool,
}

impl Refused {
    pub(super) fn lasting(error: HostError) -> Self {
        Self { error, is_passing: false }
    }
}

/// What `ssh` says of each stage, the telling ones first; whether it may pass.
const WORDS: [(&str, Stage, bool); 20] = [
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Stage::HostKey, false),
    ("Host key verification failed", Stage::HostKey, false),
    ("REVOKED HOST KEY", Stage::HostKey, false),
    ("Permission denied (", Stage::Login, false),
    ("Too many authentication failures", Stage::Login, false),
    ("Unable to negotiate", Stage::KeyExchange, false),
    ("no matching", Stage::KeyExchange, false),
    ("MaxStartups", Stage::Banner, true),
    ("Not allowed at this time", Stage::Banner, false),
    ("timed out during banner exchange", Stage::Banner, false),
    ("banner exchange", Stage::Banner, true),
    ("kex_exchange_identification", Stage::Banner, true),
    ("Connection refused", Stage::Tcp, false),
    ("timed out", Stage::Tcp, false),
    ("Could not resolve hostname", Stage::Tcp, false),
    ("No route to host", Stage::Tcp, false),
    ("Network is unreachable", Stage::Tcp, false),
    ("Connection reset", Stage::KeyExchange, true),
    ("Connection closed by", Stage::KeyExchange, false),
    ("ProxyCommand", Stage::Tcp, false),
];

/// The error behind what `ssh` wrote until it ended.
pub(super) fn explain(spec: &HostSpec, log: &str) -> Refused {
    let found = WORDS.iter().find(|(words, ..)| log.contains(words));
    let (stage, is_passing) = found.map_or((None, false), |&(_, stage, passing)| (Some(stage), passing));
    let (name, place) = (&spec.name, spec.place());
    let error = match stage {
        Some(Stage::HostKey) => HostError::new(format!("`ssh` does not trust the host key of `{name}`")).hint(format!(
            "after you have rebuilt the host, {} lets it offer a new one; the right one can be named as `host_key`",
            typed(["doppio", "host", "forget", name.as_str()])
        )),
        Some(Stage::Login) => HostError::new(format!("`{name}` refuses the login of `{}`", spec.user)).hint(format!(
            "{} shows what `ssh` tries; it can ask nothing here, so a key with a passphrase must be in the agent",
            typed(by_hand(spec).iter().map(String::as_str))
        )),
        Some(Stage::KeyExchange) => HostError::new(format!("the key exchange with `{name}` at {place} failed")),
        Some(Stage::Banner) => HostError::new(format!("`{name}` at {place} does not answer as an SSH server")),
        Some(Stage::Tcp) => HostError::new(format!("cannot reach `{name}` at {place}")),
        None => HostError::new(format!("`ssh` could not log in to `{name}`")),
    };
    let error = told(error, log);
    Refused { error: stage.into_iter().fold(error, HostError::at), is_passing }
}

/// It took too long.
pub(super) fn late(spec: &HostSpec, within: Duration, log: &str) -> HostError {
    let what = format!("`ssh` did not log in to `{}` within {}", spec.name, seconds(within));
    told(HostError::new(what), log)
        .hint(format!("{} shows where it stops", typed(by_hand(spec).iter().map(String::as_str))))
}

/// There is no `ssh`.
pub(super) fn missing(spec: &HostSpec) -> HostError {
    HostError::new(format!(
        "`ssh` is not installed on this machine, and `{}` has `transport = \"openssh\"`",
        spec.name
    ))
    .hint("install OpenSSH's client, as in `apt-get install openssh-client`")
}

/// It could not be started.
pub(super) fn not_started(spec: &HostSpec, error: &io::Error) -> HostError {
    if error.kind() == io::ErrorKind::NotFound {
        return missing(spec);
    }
    HostError::new(format!("cannot start `ssh` for `{}`", spec.name)).cause(error.to_string())
}

/// The last line that says something.
pub(super) fn last_words(log: &str) -> String {
    let says = |line: &&str| {
        !line.is_empty()
            && !line.starts_with("Warning: Permanently added")
            && !line.contains("by UNKNOWN port")
    };
    brief(log.lines().map(str::trim).rfind(says).unwrap_or_default(), 200)
}

fn told(error: HostError, log: &str) -> HostError {
    let said = last_words(log);
    let error = if said.is_empty() { error } else { error.cause(format!("`ssh` said: {said}")) };
    // What a changed key is like stands before the last line.
    let key = log.lines().map(str::trim).find(|line| line.starts_with("SHA256:"));
    match key {
        Some(key) => {
            error.cause(format!("the key that was offered: {}", brief(key.trim_end_matches('.'), 100)))
        }
        None => error,
    }
}

fn by_hand(spec: &HostSpec) -> Vec<String> {
    match &spec.config_host {
        Some(host) => vec!["ssh".to_owned(), "-v".to_owned(), host.name.clone()],
        None => ["doppio", "ssh", &spec.name, "--", "-v"].map(str::to_owned).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_has_its_words() {
        let spec = HostSpec::new("gpu", "root", "10.0.0.7", 22);
        for (log, stage) in [
            ("ssh: connect to host 10.0.0.7 port 22: Connection refused\r\n", Some(Stage::Tcp)),
            ("ssh: connect to host 10.0.0.7 port 22: Connection timed out\n", Some(Stage::Tcp)),
            ("No ED25519 host key is known\nHost key verification failed.\n", Some(Stage::HostKey)),
            ("root@10.0.0.7: Permission denied (publickey).\n", Some(Stage::Login)),
            (
                "Unable to negotiate with 10.0.0.7 port 22: no matching key exchange method found.\n",
                Some(Stage::KeyExchange),
            ),
            ("something new\n", None),
        ] {
            let refused = explain(&spec, log);
            assert_eq!(refused.error.stage, stage, "{log}");
            assert_eq!(refused.error.causes, [format!("`ssh` said: {}", last_words(log))]);
        }
        assert_eq!(last_words("why\nConnection closed by UNKNOWN port 65535\n"), "why");
    }
}
