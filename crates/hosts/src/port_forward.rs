//! Which ports are to lead where, and what happens to them.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::HostError;

/// Which port of this machine leads where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortForward {
    /// The port of this machine; 0 for any that is free.
    pub local: u16,
    /// The name or address that the host knows.
    pub host: String,
    /// The port there.
    pub port: u16,
}

/// The text does not say which port leads where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a forwarded port: write `6006`, `8888:localhost:8888` or `0:localhost:6006`")]
pub struct NotAForward(String);

impl FromStr for PortForward {
    type Err = NotAForward;

    /// `PORT`, `LOCAL:PORT` or `LOCAL:HOST:PORT`; an IPv6 address has brackets.
    fn from_str(text: &str) -> Result<Self, NotAForward> {
        let wrong = || NotAForward(text.to_owned());
        let port = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| is_number)
        };
        let far = |text: &str| port(text).filter(|port| *port > 0);
        let (local, rest) = text.split_once(':').unwrap_or((text, ""));
        let local_port = port(local).ok_or_else(wrong)?;
        let (host, port) = match rest.rsplit_once(':') {
            None if rest.is_empty() && !text.contains(':') => ("localhost", far(local)),
            None => ("localhost", far(rest)),
            Some((host, port)) => (host, far(port)),
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = !inner.is_empty() && inner.bytes().all(is_fit);
        let is_v6 = inner != host && inner.parse::<Ipv6Addr>().is_ok();
        if !is_name && !is_v6 {
            return Err(wrong());
        }
        Ok(Self { local: local_port, host: inner.to_owned(), port: port.ok_or_else(wrong)? })
    }
}

/// Where it leads, as in `localhost:6006`.
impl fmt::Display for PortForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What happens while ports are forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardEvent {
    /// The connection broke, and why; it is being made again.
    Lost(String),
    /// It is there again.
    Back,
    /// A program that connected could not be served, or connecting again failed.
    Refused(HostError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_with_ssh() {
        let read = |text: &str| {
            let forward: PortForward = text.parse().ok()?;
            Some(format!("{} {forward}", forward.local))
        };
        for (text, meant) in [
            ("6006", "6006 localhost:6006"),
            ("8888:9999", "8888 localhost:9999"),
            ("8888:10.0.0.7:80", "8888 10.0.0.7:80"),
            ("0:db:5432", "0 db:5432"),
            ("1:[::1]:2", "1 [::1]:2"),
        ] {
            assert_eq!(read(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["", "0", "x", "1:", ":1", "70000", "1:2:3:4", "1:a b:2", "+1", "1:a:0", "1::2"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
