//! `user@host:port`, `ssh://user@host:port`, with IPv6 addresses in brackets.

use crate::HostError;

/// An address as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

impl Address {
    /// Reads a text that may be an address; none where it is a mere name. It is an address when it
    /// has a scheme, a user, a port, brackets, or the shape of an IP address.
    ///
    /// # Errors
    ///
    /// When it has the shape of an address and is none.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, HostError> {
        let is_address = text.starts_with("ssh://")
            || text.contains(['@', ':', '['])
            || text.parse::<std::net::IpAddr>().is_ok();
        if is_address { Self::loose(text).map(Some) } else { Ok(None) }
    }

    /// Reads an address or a mere name, as a jump host of `ssh_config` may be.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub(crate) fn loose(text: &str) -> Result<Self, HostError> {
        let wrong = |why: &str| {
            HostError::new(format!("`{text}` is not an address: {why}"))
                .hint("write `user@host:port`, or `user@[::1]:port` for IPv6")
        };
        let rest = text.strip_prefix("ssh://").unwrap_or(text);
        let rest = rest.strip_suffix('/').filter(|_| text.starts_with("ssh://")).unwrap_or(rest);
        let (user, address) = match rest.rsplit_once('@') {
            Some(("", _)) => return Err(wrong("the user is empty")),
            Some((user, address)) => (Some(user.to_owned()), address),
            None => (None, rest),
        };
        let (host, port) = if let Some(inside) = address.strip_prefix('[') {
            let (host, after) = inside.split_once(']').ok_or_else(|| wrong("the bracket is not closed"))?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(wrong("only `:PORT` can follow the bracket")),
            }
        } else if address.matches(':').count() > 1 {
            // A bare IPv6 address.
            (address, None)
        } else {
            address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port)))
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return Err(wrong("the port is not a number from 1 to 65535")),
        };
        let odd = |c: char| !(c.is_alphanumeric() || "._-:%".contains(c));
        if host.is_empty() || host.starts_with('-') || host.contains(odd) {
            return Err(wrong("the host is not a name or an IP address"));
        }
        if let Some(user) = &user {
            if user.starts_with('-') {
                return Err(wrong("a user can't begin with `-`"));
            }
            if user.contains(|c: char| !(c.is_alphanumeric() || "._-+@%\\".contains(c))) {
                return Err(wrong("the user has a sign that a shell would read"));
            }
        }
        Ok(Self { user, host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, String, Option<u16>) {
        let address = Address::parse(text).unwrap().expect("the text has the shape of an address");
        (address.user, address.host, address.port)
    }

    #[test]
    fn addresses_have_a_user_a_host_and_a_port() {
        assert_eq!(parts("root@10.0.0.7:2222"), (Some("root".into()), "10.0.0.7".into(), Some(2222)));
        assert_eq!(parts("ssh://root@gpu:22/"), (Some("root".into()), "gpu".into(), Some(22)));
        assert_eq!(parts("ssh://gpu"), (None, "gpu".into(), None));
        assert_eq!(parts("root@gpu"), (Some("root".into()), "gpu".into(), None));
        assert_eq!(parts("[::1]:22"), (None, "::1".into(), Some(22)));
        assert_eq!(parts("root@[fe80::1%eth0]"), (Some("root".into()), "fe80::1%eth0".into(), None));
        assert_eq!(parts("::1"), (None, "::1".into(), None));
        assert_eq!(parts("10.0.0.7"), (None, "10.0.0.7".into(), None));
        assert_eq!(parts("user@realm@gpu"), (Some("user@realm".into()), "gpu".into(), None));
    }

    #[test]
    fn a_name_is_no_address() {
        assert_eq!(Address::parse("gpu-box").unwrap(), None);
        assert_eq!(Address::parse("gpu.example.com").unwrap(), None);
    }

    #[test]
    fn a_broken_address_says_why() {
        for (text, why) in [
            ("root@gpu:0", "the port is not a number from 1 to 65535"),
            ("root@gpu:x", "the port is not a number from 1 to 65535"),
            ("@gpu", "the user is empty"),
            ("[::1", "the bracket is not closed"),
            ("[::1]x", "only `:PORT` can follow the bracket"),
            ("root@", "the host is not a name or an IP address"),
            ("root@-oX", "the host is not a name or an IP address"),
            ("-l@gpu", "a user can't begin with `-`"),
            ("$(id)@gpu", "the user has a sign that a shell would read"),
        ] {
            assert_eq!(
                Address::parse(text).unwrap_err().message,
                format!("`{text}` is not an address: {why}")
            );
        }
    }
}
