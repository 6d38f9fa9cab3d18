//! What a recipe calls a host.

use std::str::FromStr;

use crate::name::invalid_name::InvalidName;
use crate::name::ssh_command::SshCommand;

text_name!(
    /// What a recipe calls a host: a name of `hosts.toml`, `local`, `sandbox`,
    /// `user@host:port`, or a name that `ssh` knows. `ssh -p PORT user@host` becomes the address.
    HostId
);

/// What a text should be that is no host.
const EXPECTED: &str =
    "use a name of hosts.toml, `local`, `sandbox`, `user@host:port`, or a name of ssh_config";

/// The same where a character is the reason.
const LETTERS: &str = "a host has letters, digits and `.`, `_`, `-`, `:`, `@`, `%`, `+`, `[`, `]`";

impl FromStr for HostId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refused = |expected| InvalidName::new(text, "host", expected);
        if SshCommand::is_meant(text) {
            let address = SshCommand::parse(text).and_then(|command| command.address()).map_err(refused)?;
            check(&address).map_err(refused)?;
            return Ok(Self(address.into()));
        }
        check(text).map_err(refused)?;
        Ok(Self(text.into()))
    }
}

/// Host ids go into messages, command lines, files and proxy commands: nothing in one has a meaning to a
/// shell, or to a terminal. They may have been printed by a step.
fn check(text: &str) -> Result<(), &'static str> {
    let rest = text.strip_prefix("ssh://").map_or(text, |rest| rest.strip_suffix('/').unwrap_or(rest));
    let fits = |c: char| c.is_alphanumeric() || "._-:@%+[]".contains(c);
    if rest.is_empty() || rest.starts_with('-') || rest.len() > 512 {
        return Err(EXPECTED);
    }
    if rest.chars().all(fits) { Ok(()) } else { Err(LETTERS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // case A7
    #[test]
    fn a_host_has_nothing_that_a_shell_would_read() {
        for text in [
            "gpu",
            "gpu.lab",
            "vast:12345",
            "root@10.0.0.7:2222",
            "root@[fe80::1%eth0]:22",
            "ssh://root@a/",
            "büro",
        ] {
            assert_eq!(text.parse::<HostId>().unwrap().as_str(), text);
        }
        let odd =
            ["`id`", "$(id)", "a;b", "a'b", "a\"b", "a\nb", "a b", "a|b", "a&b", "a>b", "a<b", "a(b", "a{b"];
        let more =
            ["a*b", "a?b", "a!b", "a#b", "~a", "a\\b", "a/b", "a=b", "", "-oProxyCommand=x", "a\u{202e}b"];
        for text in odd.into_iter().chain(more) {
            assert!(text.parse::<HostId>().is_err(), "{text:?}");
            assert!(format!("ssh root@{text}x y").parse::<HostId>().is_err());
        }
        let said = format!("a\u{1b}[31m\n{}", "x".repeat(1 << 20)).parse::<HostId>().unwrap_err().to_string();
        assert!(said.starts_with("`a\\u{1b}[31m\\nxxx") && said.len() < 500, "{said}");
    }

    // case F12
    #[test]
    fn a_vendors_command_is_a_host() {
        let host: HostId = "ssh -p 37487 root@1.2.3.4".parse().unwrap();
        assert_eq!(host.as_str(), "root@1.2.3.4:37487");
        let said = "ssh -i ~/k root@a".parse::<HostId>().unwrap_err().to_string();
        assert_eq!(
            said,
            "`ssh -i ~/k root@a` is not a host: an address can't name a key (`-i`); run `doppio host add NAME \
             'ssh …'` first"
        );
        assert!("ssh -p 22 root@$(id)".parse::<HostId>().is_err());
    }
}
