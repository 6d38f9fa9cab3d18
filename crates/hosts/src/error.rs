//! Why a host could not do what was asked. One constructor per cause that the user can act on; each
//! carries the server's own words.

use std::fmt::Display;
use std::io;

use std::time::Duration;

use doppio_text::brief;
use doppio_text::shell::typed;

/// What went wrong between here and a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// One line: which host, what failed.
    pub message: String,
    /// From what Doppio was doing down to what the other side said.
    pub causes: Vec<String>,
    /// What to do, with the command to type.
    pub hint: Option<String>,
    /// How far a connection got; none where the error is about something else.
    pub stage: Option<Stage>,
}

/// How far a connection got before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No connection.
    Tcp,
    /// The server didn't say that it speaks SSH.
    Banner,
    /// No keys were agreed on.
    KeyExchange,
    /// The host's key is not the right one.
    HostKey,
    /// The user was not let in.
    Login,
}

impl HostError {
    /// An error of one line.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), hint: None, stage: None }
    }

    /// Says how far the connection got.
    #[must_use]
    pub(crate) fn at(mut self, stage: Stage) -> Self {
        self.stage.get_or_insert(stage);
        self
    }

    /// Adds a cause below those that are there.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The name is unknown.
    pub(crate) fn unknown(name: &str, near: &[String], hosts_toml: &str) -> Self {
        let hint = if near.is_empty() {
            format!(
                "add it to {hosts_toml} with {}, or write `USER@ADDRESS:PORT` in its place",
                typed(["doppio", "host", "add", name, "ssh -p PORT USER@ADDRESS"])
            )
        } else {
            let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
            format!("a similar name exists: {}", near.join(", "))
        };
        Self::new(format!("unknown host `{name}`")).hint(hint)
    }

    /// The name has no address.
    pub(crate) fn no_address(name: &str, hostname: &str, error: &io::Error) -> Self {
        Self::new(format!("cannot reach `{name}`: `{hostname}` has no address"))
            .cause(error.to_string())
            .hint(format!(
                "{} shows what this machine knows about the name",
                typed(["getent", "hosts", hostname])
            ))
    }

    /// The TCP connection did not come about.
    pub(crate) fn unreachable(name: &str, address: &str, error: &io::Error) -> Self {
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        let message = if refused {
            format!("cannot reach `{name}`: nothing listens on {address}")
        } else {
            format!("cannot reach `{name}` at {address}")
        };
        let made = Self::new(message).cause(error.to_string());
        if refused {
            made.hint("check the port, and that the SSH server of the host is running")
        } else {
            made
        }
    }

    /// A phase ran past its deadline. `expected` says what did not come.
    pub(crate) fn silent(name: &str, address: &str, expected: &str, waited: Duration) -> Self {
        Self::new(format!("`{name}` at {address} does not answer: no {expected} within {}", seconds(waited)))
    }

    /// The server ended the connection before its first line. `said` is what it wrote instead.
    pub(crate) fn turned_away(name: &str, address: &str, said: &str) -> Self {
        let made = Self::new(format!("`{name}` at {address} closed the connection before its SSH banner"));
        if said.is_empty() { made } else { made.cause(format!("the server said: {said}")) }
    }

    /// The server is at its limit of unfinished logins, or keeps this address out for a while.
    pub(crate) fn throttled(name: &str, address: &str, said: &str) -> Self {
        let made = Self::new(format!("`{name}` at {address} rejects connections"))
            .cause(format!("the server said: {said}"));
        if said.contains("Not allowed at this time") {
            made.hint(
                "sshd blocks this address for a while after failed logins or too many connections; wait a \
                 minute, or see PerSourcePenalties in its sshd_config",
            )
        } else {
            made.hint(
                "too many logins were in progress at once; run fewer steps at once with `--jobs`, or raise \
                 MaxStartups in its sshd_config",
            )
        }
    }

    /// What listens there does not speak SSH.
    pub(crate) fn not_ssh(name: &str, address: &str, said: &str) -> Self {
        Self::new(format!("what listens at {address} for `{name}` is not an SSH server"))
            .cause(format!("it said: {said}"))
            .hint("check the port")
    }

    /// The key exchange failed.
    pub(crate) fn handshake(name: &str, address: &str, cause: impl Display) -> Self {
        Self::new(format!("the key exchange with `{name}` at {address} failed")).cause(cause.to_string())
    }
}

/// A length of time as messages have it: `10 s`, `1.5 s`, `300 ms`.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// What a server wrote, fit for one line of a message: its last line.
pub(crate) fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    brief(line, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_secs(10)), "10 s");
        assert_eq!(seconds(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(seconds(Duration::from_millis(300)), "300 ms");
    }

    #[test]
    fn a_servers_words_are_one_harmless_line() {
        assert_eq!(words(b"\r\nExceeded MaxStartups\r\n"), "Exceeded MaxStartups");
        assert_eq!(words(b"a\x1b[2Jb"), "ab");
        assert_eq!(words(b""), "");
        assert_eq!(words(&[b'x'; 500]).chars().count(), 201);
    }

    #[test]
    fn an_unknown_host_comes_with_a_way_out() {
        let error = HostError::unknown("gpu-boxx", &["gpu-box".to_owned()], "/h/hosts.toml");
        assert_eq!(error.message, "unknown host `gpu-boxx`");
        assert_eq!(error.hint.unwrap(), "a similar name exists: `gpu-box`");
        assert_eq!(
            HostError::unknown("x", &[], "/h/hosts.toml").hint.unwrap(),
            "add it to /h/hosts.toml with `doppio host add x 'ssh -p PORT USER@ADDRESS'`, or write \
             `USER@ADDRESS:PORT` in its place"
        );
    }
}
