//! `hosts.toml`: the user's own names for hosts.

mod edit;
mod jumps;
mod new_entry;

use std::collections::BTreeMap;
use std::time::Duration;

use doppio_secrets::Wanted;
use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::Spanned;
use doppio_text::TomlCodes;
use doppio_text::TomlKey;
use doppio_text::TomlReader;
use doppio_text::TomlTable;
use doppio_text::TomlValue;
use doppio_text::has_controls;
use doppio_text::name::HostId;

use crate::CarrierChoice;
use crate::PinnedKey;
use crate::Transport;
use crate::Trust;
use crate::hosts_file::jumps::Jump;

pub use crate::hosts_file::edit::with_trust;
pub use crate::hosts_file::edit::without_host;
pub use crate::hosts_file::new_entry::NewEntry;
pub use crate::hosts_file::new_entry::text as toml_string;

/// `hosts.toml`, read and checked.
#[derive(Debug, Clone)]
pub struct HostsFile {
    /// Where it is, for messages.
    path: String,
    entries: Vec<Entry>,
}

impl Default for HostsFile {
    fn default() -> Self {
        Self::missing("hosts.toml")
    }
}

/// One host of the file. Paths are as they stand there, with their `~`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub name: String,
    pub hostname: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub identity_files: Vec<String>,
    pub certificate_files: Vec<String>,
    pub identities_only: Option<bool>,
    pub identity_agent: Option<String>,
    pub jump: Vec<String>,
    pub proxy_command: Option<String>,
    pub strict_host_key: Option<bool>,
    pub host_keys: Vec<PinnedKey>,
    pub transport: Transport,
    pub trust: Option<Trust>,
    pub carrier: CarrierChoice,
    pub env: BTreeMap<String, String>,
    pub workdir: Option<String>,
    pub keepalive: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub tags: Vec<String>,
    pub credentials: Vec<Wanted>,
}

const KEYS: [&str; 21] = [
    "hostname",
    "port",
    "user",
    "identity_file",
    "certificate_file",
    "identities_only",
    "identity_agent",
    "jump",
    "proxy_command",
    "strict_host_key",
    "host_key",
    "transport",
    "trust",
    "carrier",
    "env",
    "workdir",
    "keepalive_secs",
    "connect_timeout_secs",
    "tags",
    "credentials",
    "note",
];

impl HostsFile {
    /// Reads the text of a `hosts.toml`.
    ///
    /// # Errors
    ///
    /// All its faults, with their locations.
    pub fn parse(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut reader =
            Reader { entries: Vec::new(), jumps: Vec::new(), toml: TomlReader::new(source, &CODES) };
        let document = reader.toml.document();
        if reader.toml.faults.is_empty() {
            reader.document(&document);
            let names: Vec<String> = reader.entries.iter().map(|entry| entry.name.clone()).collect();
            for fault in jumps::check(&names, &reader.jumps) {
                reader.toml.fault(fault);
            }
        }
        let path = source.name().to_owned();
        reader.toml.finish(Self { path, entries: reader.entries })
    }

    /// One that does not exist yet.
    pub fn missing(path: impl Into<String>) -> Self {
        Self { path: path.into(), entries: Vec::new() }
    }

    /// Where it is, or would be.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names it has, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.name.clone()).collect()
    }

    /// The names that bear a tag, in the file's order.
    pub fn tagged(&self, tag: &str) -> Vec<String> {
        let bears = |entry: &&Entry| entry.tags.iter().any(|own| own == tag);
        self.entries.iter().filter(bears).map(|entry| entry.name.clone()).collect()
    }

    /// The tags of a host.
    pub fn tags_of(&self, name: &str) -> &[String] {
        self.entry(name).map_or(&[], |entry| &entry.tags)
    }

    /// The keys that the entry of a host has, of those that say how it is reached and used.
    pub fn keys_of(&self, name: &str) -> Vec<&'static str> {
        let Some(entry) = self.entry(name) else { return Vec::new() };
        let said = [
            ("hostname", entry.hostname.is_some()),
            ("port", entry.port.is_some()),
            ("user", entry.user.is_some()),
            ("identity_file", !entry.identity_files.is_empty()),
            ("certificate_file", !entry.certificate_files.is_empty()),
            ("identities_only", entry.identities_only.is_some()),
            ("identity_agent", entry.identity_agent.is_some()),
            ("jump", !entry.jump.is_empty()),
            ("proxy_command", entry.proxy_command.is_some()),
            ("transport", entry.transport != Transport::Doppio),
            ("trust", entry.trust.is_some()),
            ("carrier", entry.carrier != CarrierChoice::Auto),
            ("env", !entry.env.is_empty()),
            ("workdir", entry.workdir.is_some()),
            ("credentials", !entry.credentials.is_empty()),
            ("tags", !entry.tags.is_empty()),
        ];
        said.into_iter().filter(|(_, is_said)| *is_said).map(|(key, _)| key).collect()
    }

    /// The names that some host sets for every step on it.
    pub fn env_names(&self) -> Vec<String> {
        self.entries.iter().flat_map(|entry| entry.env.keys().cloned()).collect()
    }

    /// The providers whose credentials every step on a host has.
    pub fn credentials(&self, name: &str) -> &[Wanted] {
        self.entry(name).map_or(&[], |entry| &entry.credentials)
    }

    /// All entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// What stands under a name.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

static CODES: TomlCodes = TomlCodes {
    syntax: "hosts::syntax",
    unknown_key: "hosts::unknown-key",
    wrong_type: "hosts::wrong-type",
    unknown_value: "hosts::unknown-value",
    shows_values: true,
};

struct Reader<'s> {
    entries: Vec<Entry>,
    jumps: Vec<Jump>,
    toml: TomlReader<'s>,
}

type Field<'a, 'i> = &'a TomlValue<'i>;

impl Reader<'_> {
    fn document(&mut self, document: &TomlTable<'_>) {
        for (key, value) in document {
            if key.get_ref() != "hosts" {
                let fault = Diagnostic::error(
                    "hosts::unknown-key",
                    format!("unknown key `{}`", key.get_ref()),
                    key.span(),
                );
                self.toml.fault(fault.help("a host is a table `[hosts.NAME]`"));
                continue;
            }
            let Some(hosts) = self.toml.table("`hosts`", value) else { continue };
            for (name, value) in hosts {
                self.entry(name, value);
            }
        }
    }

    fn entry(&mut self, name: &TomlKey<'_>, value: Field<'_, '_>) {
        self.check_name(name.get_ref(), name.span());
        let Some(table) = self.toml.table(&format!("`{}`", name.get_ref()), value) else { return };
        let mut entry = Entry { name: name.get_ref().to_string(), ..Entry::default() };
        for (key, value) in table {
            self.field(&mut entry, key.get_ref(), key.span(), value);
        }
        if !entry.jump.is_empty() && entry.proxy_command.is_some() {
            self.toml.fault(Diagnostic::error(
                "hosts::two-ways",
                format!(
                    "`{}` has both `jump` and `proxy_command`: only one can be the way to it",
                    entry.name
                ),
                name.span(),
            ));
        }
        if entry.transport == Transport::OpenSsh && entry.carrier == CarrierChoice::Channel {
            let fault = Diagnostic::error(
                "hosts::carrier",
                format!("`{}` can't have `carrier = \"channel\"` with `transport = \"openssh\"`", entry.name),
                name.span(),
            );
            self.toml.fault(fault.help(
                "leave `carrier` out: what `ssh` is to send as variables would stand in its environment",
            ));
        }
        self.entries.push(entry);
    }

    fn check_name(&mut self, name: &str, span: Span) {
        let taken = matches!(name, "local" | "__local__" | "sandbox");
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:".contains(&b));
        if taken {
            self.toml.fault(
                Diagnostic::error("hosts::name", format!("`{name}` always means {}", meaning(name)), span)
                    .help("give the host another name"),
            );
        } else if name.is_empty() || name.starts_with('-') || !plain {
            self.toml.fault(
                Diagnostic::error("hosts::name", format!("`{name}` can't be the name of a host"), span)
                    .help("use letters, digits, `.`, `_` and `-`"),
            );
        }
    }

    fn field(&mut self, entry: &mut Entry, key: &str, key_span: Span, value: Field<'_, '_>) {
        let what = format!("`{key}`");
        let what = what.as_str();
        let seconds = |reader: &mut Self| {
            let seconds = reader.toml.within(what, value, 1..=3600, " of seconds");
            seconds.map(Duration::from_secs)
        };
        match key {
            "hostname" => entry.hostname = self.word(what, value, |text| text.parse::<HostId>().is_ok()),
            "user" => entry.user = self.word(what, value, is_user),
            "port" => {
                let port = self.toml.within(what, value, 1..=65535, "");
                entry.port = port.and_then(|port| u16::try_from(port).ok());
            }
            "identity_file" => entry.identity_files = self.texts(what, value),
            "certificate_file" => entry.certificate_files = self.texts(what, value),
            "identities_only" => entry.identities_only = self.toml.boolean(what, value),
            "identity_agent" => entry.identity_agent = self.word(what, value, |_| true),
            "jump" => {
                let index = self.entries.len();
                for item in self.toml.one_or_more(what, value).unwrap_or_default() {
                    let span = item.span();
                    match item.get_ref().parse::<HostId>() {
                        Ok(host) => {
                            let name = host.as_str().to_owned();
                            entry.jump.push(name.clone());
                            self.jumps.push(Jump { entry: index, name, span });
                        }
                        Err(error) => {
                            let message = error.to_string();
                            self.toml.fault(Diagnostic::error(CODES.unknown_value, message, span));
                        }
                    }
                }
            }
            "proxy_command" => entry.proxy_command = self.toml.string(what, value),
            "strict_host_key" => entry.strict_host_key = self.toml.boolean(what, value),
            "host_key" => self.host_keys(entry, value),
            "transport" => {
                entry.transport = self.toml.one_of(what, value, &Transport::WORDS).unwrap_or_default();
            }
            "trust" => entry.trust = self.toml.one_of(what, value, &Trust::WORDS),
            "carrier" => {
                let words = [
                    ("auto", CarrierChoice::Auto),
                    ("channel", CarrierChoice::Channel),
                    ("preamble", CarrierChoice::Preamble),
                ];
                entry.carrier = self.toml.one_of(what, value, &words).unwrap_or_default();
            }
            "env" => self.environment(entry, value),
            "workdir" => entry.workdir = self.toml.string(what, value),
            "keepalive_secs" => entry.keepalive = seconds(self),
            "connect_timeout_secs" => entry.connect_timeout = seconds(self),
            "tags" => entry.tags = self.texts(what, value),
            "credentials" => self.credentials(entry, value),
            "note" => drop(self.toml.string(what, value)),
            _ => self.toml.unknown_key(key, key_span, &format!("host `{}`", entry.name), KEYS),
        }
    }

    /// A text that goes into a protocol or a command line: something, no blanks, and what `fits`.
    fn word(&mut self, what: &str, value: Field<'_, '_>, fits: impl Fn(&str) -> bool) -> Option<String> {
        let text = self.toml.string(what, value)?;
        let is_odd = has_controls(&text) || text.contains(char::is_whitespace) || !fits(&text);
        if text.is_empty() || text.starts_with('-') || is_odd {
            let message = format!("{what} can't be `{text}`");
            self.toml.fault(Diagnostic::error(CODES.unknown_value, message, value.span()));
            return None;
        }
        Some(text)
    }

    fn host_keys(&mut self, entry: &mut Entry, value: Field<'_, '_>) {
        for text in self.toml.one_or_more("`host_key`", value).unwrap_or_default() {
            match text.get_ref().parse() {
                Ok(key) => entry.host_keys.push(key),
                Err(error) => {
                    let message = format!("`host_key` can't be `{}`: {error}", text.get_ref());
                    let fault = Diagnostic::error(CODES.unknown_value, message, text.span());
                    self.toml
                        .fault(fault.help("on the host, `cat /etc/ssh/ssh_host_ed25519_key.pub` prints it"));
                }
            }
        }
    }

    fn texts(&mut self, what: &str, value: Field<'_, '_>) -> Vec<String> {
        let texts = self.toml.one_or_more(what, value).unwrap_or_default();
        texts.into_iter().map(Spanned::into_inner).collect()
    }

    fn credentials(&mut self, entry: &mut Entry, value: Field<'_, '_>) {
        for name in self.toml.one_or_more("`credentials`", value).unwrap_or_default() {
            let span = name.span();
            match name.get_ref().parse::<Wanted>() {
                Ok(wanted) => match entry.credentials.iter().find(|known| known.clashes_with(&wanted)) {
                    Some(known) => {
                        let message = format!("`{known}` and `{wanted}` set the same variables");
                        let fault = Diagnostic::error("hosts::credentials-clash", message, span);
                        self.toml.fault(fault.help("name one of them here, and the other at the steps"));
                    }
                    None => entry.credentials.push(wanted),
                },
                Err(unknown) => {
                    let fault = Diagnostic::error("hosts::unknown-provider", unknown.to_string(), span);
                    self.toml.fault(fault.help(unknown.hint()));
                }
            }
        }
    }

    fn environment(&mut self, entry: &mut Entry, value: Field<'_, '_>) {
        let Some(table) = self.toml.table("`env`", value) else { return };
        for (name, value) in table {
            let valid = name.get_ref().parse::<doppio_text::name::EnvName>();
            if let Err(error) = valid {
                self.toml.fault(Diagnostic::error("hosts::env-name", error.to_string(), name.span()));
            } else if let Some(text) = self.toml.string(&format!("`{}`", name.get_ref()), value) {
                if text.contains("${secret:") {
                    self.toml.fault(
                        Diagnostic::error(
                            "hosts::secret",
                            format!("a secret is not allowed in the `env` of a host (`{}`)", name.get_ref()),
                            value.span(),
                        )
                        .help("name it in the `env` of the step that needs it"),
                    );
                }
                entry.env.insert(name.get_ref().to_string(), text);
            }
        }
    }
}

/// What OpenSSH takes for the name of a user on a command line (`valid_ruser`).
fn is_user(text: &str) -> bool {
    !text.contains(['\'', '`', '"', '$', ';', '&', '<', '>', '|', '(', ')', '{', '}', ','])
        && !text.ends_with('\\')
}

fn meaning(name: &str) -> &'static str {
    if name == "sandbox" { "the server inside Doppio" } else { "this machine" }
}

#[cfg(test)]
mod tests;
