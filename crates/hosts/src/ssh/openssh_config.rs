//! A host as a configuration of OpenSSH's own client, which then reaches it as Doppio does and trusts
//! the same keys: `ssh_config(5)`.

use std::fmt::Write;
use std::path::Path;

use doppio_text::has_controls;

use crate::AgentChoice;
use crate::FirstContact;
use crate::HostError;
use crate::HostSpec;
use crate::spec::AddressFamily;
use crate::spec::known_as;
use crate::ssh::host_key::Judge;
use crate::ssh::options::ConnectOptions;

/// What OpenSSH is to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OpenSshConfig {
    /// `Host` blocks.
    pub blocks: String,
    /// Lines of a list of host keys, for the file that the blocks name.
    pub keys: String,
}

/// The blocks that reach a host as `alias`, its jump hosts before it. `keys` is where the lines of its
/// host keys will be.
///
/// # Errors
///
/// When a list of host keys can't be read, or something in the host's settings can't stand in a
/// configuration.
pub(crate) fn openssh_config(
    spec: &HostSpec,
    alias: &str,
    keys: &Path,
    options: &ConnectOptions,
) -> Result<OpenSshConfig, HostError> {
    let mut config = OpenSshConfig::default();
    let mut before: Option<String> = None;
    for (at, hop) in spec.jump.iter().enumerate() {
        let name = format!("{alias}-via-{}", at + 1);
        block(&mut config, hop, &name, before.as_deref(), keys, options)?;
        config.blocks.push('\n');
        before = Some(name);
    }
    block(&mut config, spec, alias, before.as_deref(), keys, options)?;
    Ok(config)
}

fn block(
    config: &mut OpenSshConfig,
    spec: &HostSpec,
    alias: &str,
    through: Option<&str>,
    keys: &Path,
    options: &ConnectOptions,
) -> Result<(), HostError> {
    let mut block = Block { text: format!("Host {alias}\n"), name: &spec.name };
    block.line("HostName", &[&spec.hostname.replace('%', "%%")])?;
    block.line("Port", &[&spec.port.to_string()])?;
    block.line("User", &[&spec.user])?;
    match spec.family {
        AddressFamily::Any => {}
        AddressFamily::V4 => block.line("AddressFamily", &["inet"])?,
        AddressFamily::V6 => block.line("AddressFamily", &["inet6"])?,
    }
    for file in spec.identity_files.iter().filter(|file| spec.identities_named || file.exists()) {
        block.line("IdentityFile", &[&path(file)])?;
    }
    for file in &spec.certificate_files {
        block.line("CertificateFile", &[&path(file)])?;
    }
    if spec.identities_only {
        block.line("IdentitiesOnly", &["yes"])?;
    }
    match &spec.agent {
        AgentChoice::Default => {}
        AgentChoice::Socket(socket) => block.line("IdentityAgent", &[&path(socket)])?,
        AgentChoice::None => block.line("IdentityAgent", &["none"])?,
    }
    let trusted = trusted(spec, keys, options)?;
    config.keys.push_str(&trusted.keys);
    if let Some(name) = &trusted.alias {
        block.line("HostKeyAlias", &[name])?;
    }
    let files: Vec<&str> = trusted.files.iter().map(String::as_str).collect();
    block.line("UserKnownHostsFile", &files)?;
    block.line("GlobalKnownHostsFile", &["none"])?;
    let is_strict = spec.first_contact.unwrap_or(options.first_contact) == FirstContact::Refuse;
    let is_open = !is_strict && !trusted.is_known;
    block.line("StrictHostKeyChecking", &[if is_open { "accept-new" } else { "yes" }])?;
    for (option, value) in [("CheckHostIP", "no"), ("UpdateHostKeys", "no"), ("HashKnownHosts", "no")] {
        block.line(option, &[value])?;
    }
    match (&spec.proxy_command, through) {
        // The rest of the line is the command, as it is; its tokens are replaced already.
        (Some(command), _) => block.raw("ProxyCommand", &command.replace('%', "%%"))?,
        (None, Some(through)) => block.line("ProxyJump", &[through])?,
        (None, None) => block.line("ProxyJump", &["none"])?,
    }
    block.line("ServerAliveInterval", &[&spec.keepalive.as_secs().to_string()])?;
    let env: Vec<String> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let env: Vec<&str> = env.iter().map(String::as_str).filter(|setting| !has_controls(setting)).collect();
    if !env.is_empty() {
        block.line("SetEnv", &env)?;
    }
    config.blocks.push_str(&block.text);
    Ok(())
}

/// Which keys OpenSSH is to take for the host's.
struct Trusted {
    /// The name that they are listed under, if it is not the address.
    alias: Option<String>,
    files: Vec<String>,
    /// Lines for the file of our own.
    keys: String,
    /// Whether another key is not to be taken.
    is_known: bool,
}

fn trusted(spec: &HostSpec, keys: &Path, options: &ConnectOptions) -> Result<Trusted, HostError> {
    let identity = spec.identity.to_lowercase();
    let mut lines = String::new();
    if let Some(pins) = &spec.pins {
        for key in &pins.keys {
            writeln!(lines, "{identity} {key}").expect("a string grows");
        }
        return Ok(Trusted { alias: Some(identity), files: vec![path(keys)], keys: lines, is_known: true });
    }
    let judge = Judge::new(spec, options)?;
    let users = spec.known_hosts.iter().map(|file| path(file));
    if judge.has_authority() && !spec.is_alias {
        // A certificate is for the address: another name would be looked for in it.
        for key in judge.kept() {
            writeln!(lines, "{} {key}", known_as(&spec.hostname, spec.port)).expect("a string grows");
        }
        return Ok(Trusted {
            alias: None,
            files: std::iter::once(path(keys)).chain(users).collect(),
            keys: lines,
            is_known: false,
        });
    }
    // OpenSSH looks for the alias only, and writes into the first file: what is known under other names is
    // said under this one, and our own list is written by nobody else.
    let (right, wrong) = judge.ruled();
    for key in &right {
        writeln!(lines, "{identity} {key}").expect("a string grows");
    }
    for key in &wrong {
        writeln!(lines, "@revoked {identity} {key}").expect("a string grows");
    }
    let files = std::iter::once(path(keys)).chain(users).collect();
    Ok(Trusted { alias: Some(identity), files, keys: lines, is_known: !right.is_empty() })
}

/// A path in which OpenSSH replaces nothing.
pub(in crate::ssh) fn path(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

struct Block<'a> {
    text: String,
    /// Of the host, for messages.
    name: &'a str,
}

impl Block<'_> {
    fn line(&mut self, option: &str, values: &[&str]) -> Result<(), HostError> {
        let words: Vec<String> = values.iter().map(|value| word(value)).collect();
        self.raw(option, &words.join(" "))
    }

    fn raw(&mut self, option: &str, value: &str) -> Result<(), HostError> {
        if has_controls(value) {
            return Err(HostError::new(format!("`{}` can't be reached by OpenSSH", self.name))
                .cause(format!("its `{option}` has a line break or another control character")));
        }
        writeln!(self.text, "    {option} {value}").expect("a string grows");
        Ok(())
    }
}

/// A value as one word of `ssh_config`.
pub(in crate::ssh) fn word(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+=,[]*".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_blank_would_end_them() {
        assert_eq!(word("/root/.ssh/id"), "/root/.ssh/id");
        assert_eq!(word("/a b/\"id\""), "\"/a b/\\\"id\\\"\"");
        assert_eq!(word(""), "\"\"");
        let mut block = Block { text: String::new(), name: "gpu" };
        assert!(block.raw("ProxyCommand", "nc a\nProxyCommand id").is_err());
        assert_eq!(block.text, "");
    }
}
