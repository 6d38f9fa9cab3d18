//! An entry of `hosts.toml` that is still to be written: what hints show and `doppio host add` appends.

use std::fmt;

use doppio_text::name::SshCommand;

use crate::HostError;
use crate::Trust;
use crate::address::Address;

/// What the entry says; what is left out is not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEntry {
    /// Its name.
    pub name: String,
    /// Name or address.
    pub hostname: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Who logs in.
    pub user: Option<String>,
    /// Private keys.
    pub identity_files: Vec<String>,
    /// Hosts to go through, the first one first.
    pub jump: Vec<String>,
    /// Who else has root on it.
    pub trust: Option<Trust>,
    /// The host key, as `TYPE BASE64`.
    pub host_key: Option<String>,
}

impl NewEntry {
    /// An entry that has only a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// One whose address is `user@host:port`, or an `ssh` command as vendors show it.
    ///
    /// # Errors
    ///
    /// When the text is neither.
    pub fn parse(name: &str, address: &str) -> Result<Self, HostError> {
        let wrong = |why: &str| {
            HostError::new(format!("`{address}` is not an address: {why}"))
                .hint("write `user@host:port`, or `ssh -p PORT user@host` in quotes")
        };
        if address.trim() == "ssh" {
            return Err(wrong("it names no host"));
        }
        let command = if SshCommand::is_meant(address) {
            SshCommand::parse(address).map_err(wrong)?
        } else {
            SshCommand { host: address.to_owned(), ..SshCommand::default() }
        };
        let read = Address::loose(&command.host)?;
        let port = match command.port.as_deref().map(str::parse::<u16>) {
            None => read.port,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return Err(wrong("the port is not a number from 1 to 65535")),
        };
        Ok(Self {
            hostname: Some(read.host),
            port,
            user: command.user.or(read.user),
            identity_files: command.identity_files,
            jump: command.jump,
            ..Self::new(name)
        })
    }
}

/// The lines of the entry, without a line break at the end.
impl fmt::Display for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[hosts.{}]", toml_key(&self.name))?;
        let line =
            |f: &mut fmt::Formatter<'_>, key: &str, value: &str| write!(f, "\n{key} = {}", text(value));
        if let Some(hostname) = &self.hostname {
            line(f, "hostname", hostname)?;
        }
        if let Some(port) = self.port {
            write!(f, "\nport = {port}")?;
        }
        if let Some(user) = &self.user {
            line(f, "user", user)?;
        }
        for (key, texts) in [("identity_file", &self.identity_files), ("jump", &self.jump)] {
            match texts.as_slice() {
                [] => {}
                [one] => line(f, key, one)?,
                several => {
                    let several: Vec<String> = several.iter().map(|one| text(one)).collect();
                    write!(f, "\n{key} = [{}]", several.join(", "))?;
                }
            }
        }
        if let Some(trust) = self.trust {
            line(f, "trust", trust.word())?;
        }
        if let Some(key) = &self.host_key {
            line(f, "host_key", key)?;
        }
        Ok(())
    }
}

/// A name as a key of TOML: quoted where it must be.
fn toml_key(name: &str) -> String {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return name.to_owned();
    }
    text(name)
}

/// A text as a string of TOML.
pub fn text(text: &str) -> String {
    let mut string = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => string.extend(['\\', character]),
            '\0'..='\u{1f}' | '\u{7f}' => string.extend(format!("\\u{:04x}", u32::from(character)).chars()),
            _ => string.push(character),
        }
    }
    string + "\""
}

#[cfg(test)]
mod tests {
    use doppio_text::Source;

    use super::*;
    use crate::HostsFile;

    // case F12
    #[test]
    fn what_a_vendors_page_shows_becomes_an_entry() {
        for (address, lines) in [
            (
                "ssh -p 37487 root@ssh4.vast.ai -L 8080:localhost:8080",
                "hostname = \"ssh4.vast.ai\"\nport = 37487\nuser = \"root\"",
            ),
            (
                "ssh root@10.0.0.7 -p 22122 -i ~/.ssh/pod -J me@b",
                "hostname = \"10.0.0.7\"\nport = 22122\nuser = \"root\"\nidentity_file = \"~/.ssh/pod\"\n\
                 jump = \"me@b\"",
            ),
            ("root@[fe80::1]:2222", "hostname = \"fe80::1\"\nport = 2222\nuser = \"root\""),
            ("10.0.0.7", "hostname = \"10.0.0.7\""),
        ] {
            let entry = NewEntry::parse("gpu", address).unwrap();
            assert_eq!(entry.to_string(), format!("[hosts.gpu]\n{lines}"));
        }
        for address in ["ssh -p x root@a", "ssh", "ssh -p 0 a", "root@a:b", "$(id)@a", "ssh a nvidia-smi"] {
            assert!(NewEntry::parse("gpu", address).is_err(), "{address}");
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_meant() {
        let entry = NewEntry {
            hostname: Some("10.0.0.7".to_owned()),
            port: Some(37487),
            user: Some("do\\main".to_owned()),
            identity_files: vec!["~/.ssh/a \"b\"".to_owned()],
            jump: vec!["root@a".to_owned(), "root@b:22".to_owned()],
            trust: Some(Trust::Shared),
            ..NewEntry::new("gpu.lab")
        };
        let file = HostsFile::parse(&Source::new("hosts.toml", entry.to_string())).unwrap();
        let read = file.entry("gpu.lab").expect("it is there");
        assert_eq!((read.hostname.clone(), read.port), (entry.hostname, entry.port));
        assert_eq!((&read.identity_files, &read.jump), (&entry.identity_files, &entry.jump));
        assert_eq!((read.trust, read.user.clone()), (entry.trust, entry.user));
        assert_eq!(text("a\u{1b}"), "\"a\\u001b\"");
    }
}
