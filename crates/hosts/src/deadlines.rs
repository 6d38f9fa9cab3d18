//! How long each phase of a connect may take.

use std::time::Duration;

/// How long each phase of a connect may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The name's look-up and the TCP handshake.
    pub tcp: Duration,
    /// The server's first line.
    pub banner: Duration,
    /// The key exchange and the check of the host key.
    pub kex: Duration,
    /// Logging in, without the time a user takes to answer.
    pub auth: Duration,
    /// No new try is begun after this.
    pub total: Duration,
}

impl Deadlines {
    /// The usual shares, none longer than the whole.
    pub fn within(total: Duration) -> Self {
        let usual = Self::default();
        Self {
            tcp: usual.tcp.min(total),
            banner: usual.banner.min(total),
            kex: usual.kex.min(total),
            auth: usual.auth.min(total),
            total,
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            tcp: seconds(10),
            banner: seconds(10),
            kex: seconds(15),
            auth: seconds(30),
            total: seconds(60),
        }
    }
}

/// How long each phase of a connect took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The name's look-up and the TCP handshake, or what takes their place.
    pub way: Duration,
    /// Until the server's first line was there.
    pub banner: Duration,
    /// The key exchange and the check of the host key.
    pub key_exchange: Duration,
    /// Logging in, with the time a user took to answer.
    pub login: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_whole_shortens_the_parts() {
        let deadlines = Deadlines::within(Duration::from_secs(12));
        assert_eq!(deadlines.tcp, Duration::from_secs(10));
        assert_eq!(deadlines.kex, Duration::from_secs(12));
        assert_eq!(deadlines.auth, Duration::from_secs(12));
    }
}
