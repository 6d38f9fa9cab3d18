//! `ssh -p 37487 root@1.2.3.4`, as the pages of those who rent machines out show it.

use std::collections::VecDeque;

/// What such a command says of its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshCommand {
    /// Name or address, without user and port.
    pub host: String,
    /// Who logs in.
    pub user: Option<String>,
    /// TCP port, in digits.
    pub port: Option<String>,
    /// Private keys (`-i`).
    pub identity_files: Vec<String>,
    /// Hosts to go through (`-J`), the first one first.
    pub jump: Vec<String>,
}

/// Options without a value that a run has no use for: verbosity, terminals, forwarding of agent and X11.
const FLAGS: &str = "46AaCfGgKkMNnqTtVvXxYy";

/// The same with a value: forwarded ports and the like.
const IGNORED: &str = "DELRbBcemOQSWw";

impl SshCommand {
    /// Whether a text is meant as one.
    pub fn is_meant(text: &str) -> bool {
        text.trim_start().strip_prefix("ssh").is_some_and(|rest| rest.starts_with(char::is_whitespace))
    }

    /// Reads `ssh [OPTIONS] [USER@]HOST [OPTIONS]`.
    ///
    /// # Errors
    ///
    /// Why it isn't one that can be used.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words: VecDeque<&str> = text.split_whitespace().collect();
        if words.pop_front() != Some("ssh") {
            return Err("it must begin with `ssh`");
        }
        let mut read = Self::default();
        let mut destination = None;
        while let Some(word) = words.pop_front() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                if destination.replace(word).is_some() {
                    return Err("it has a command; give the host alone, as in `ssh -p 2222 root@10.0.0.7`");
                }
                continue;
            };
            for (at, letter) in letters.char_indices() {
                if FLAGS.contains(letter) {
                    continue;
                }
                let rest = &letters[at + letter.len_utf8()..];
                let value = if rest.is_empty() { words.pop_front() } else { Some(rest) };
                let value = value.ok_or("its last option has no value")?;
                match letter {
                    'p' => read.port = Some(value.to_owned()),
                    'l' => read.user = Some(value.to_owned()),
                    'i' => read.identity_files.push(value.to_owned()),
                    'J' => read.jump.extend(value.split(',').map(str::to_owned)),
                    'o' => return Err("`-o` is not read; write the option to ssh_config or hosts.toml"),
                    _ if IGNORED.contains(letter) => {}
                    _ => return Err("it has an option that is not read here"),
                }
                break;
            }
        }
        let destination = destination.ok_or("it names no host")?;
        let destination = destination.strip_prefix("ssh://").unwrap_or(destination);
        let (user, host) = match destination.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, destination),
        };
        Ok(Self { host: host.to_owned(), user: read.user.or(user), ..read })
    }

    /// The host as an address: `user@host:port`.
    ///
    /// # Errors
    ///
    /// When the command says what an address can't: a key, a jump.
    pub fn address(&self) -> Result<String, &'static str> {
        // Those are offered without being named.
        let is_usual = |file: &String| {
            let name = file.strip_prefix("~/.ssh/id_").unwrap_or_default();
            matches!(name, "rsa" | "ecdsa" | "ecdsa_sk" | "ed25519" | "ed25519_sk")
        };
        if !self.identity_files.iter().all(is_usual) {
            return Err("an address can't name a key (`-i`); run `doppio host add NAME 'ssh …'` first");
        }
        if !self.jump.is_empty() {
            return Err("an address can't name a jump (`-J`); run `doppio host add NAME 'ssh …'` first");
        }
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let is_bare_ipv6 = self.host.matches(':').count() > 1 && !self.host.starts_with('[');
        Ok(match &self.port {
            Some(port) if is_bare_ipv6 => format!("{user}[{}]:{port}", self.host),
            Some(port) => format!("{user}{}:{port}", self.host),
            None => format!("{user}{}", self.host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<String, &'static str> {
        SshCommand::parse(text).and_then(|command| command.address())
    }

    // case F12
    #[test]
    fn what_vendors_show_is_an_address() {
        for (text, expected) in [
            ("ssh -p 37487 root@1.2.3.4 -L 8080:localhost:8080", "root@1.2.3.4:37487"),
            ("ssh root@1.2.3.4 -p 22122 -i ~/.ssh/id_ed25519", "root@1.2.3.4:22122"),
            ("ssh -p37487 -l root ssh4.vast.ai", "root@ssh4.vast.ai:37487"),
            ("ssh -tA ubuntu@10.0.0.7", "ubuntu@10.0.0.7"),
            ("ssh gpu-box", "gpu-box"),
            ("ssh -p 22 root@fe80::1", "root@[fe80::1]:22"),
            (" ssh  -NL 1:a:2 root@a ", "root@a"),
        ] {
            assert!(SshCommand::is_meant(text));
            assert_eq!(address(text), Ok(expected.to_owned()), "{text}");
        }
        assert!(!SshCommand::is_meant("ssh://root@a") && !SshCommand::is_meant("sshbox"));
    }

    #[test]
    fn what_an_address_cannot_say_is_refused() {
        for (text, why) in [
            ("ssh -p", "its last option has no value"),
            ("ssh -p 22", "it names no host"),
            ("ssh root@a -i ~/key", "an address can't name a key"),
            ("ssh -J b root@a", "an address can't name a jump"),
            ("ssh root@a nvidia-smi", "it has a command"),
            ("ssh -o X=y root@a", "`-o` is not read"),
            ("ssh -z root@a", "it has an option that is not read here"),
        ] {
            let said = address(text).unwrap_err();
            assert!(said.starts_with(why), "{text}: {said}");
        }
        let command = SshCommand::parse("ssh -i ~/key -J b,c root@a").unwrap();
        assert_eq!(
            (command.identity_files, command.jump),
            (vec!["~/key".into()], vec!["b".into(), "c".into()])
        );
    }
}
