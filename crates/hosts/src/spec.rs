//! What is known of a host: an entry of `hosts.toml`, or what a name resolved to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use doppio_secrets::Wanted;

use crate::Deadlines;
use crate::ssh::pinned_key::PinnedKey;

/// Who else has root on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Somebody else owns it.
    #[default]
    Rented,
    /// Several people use it.
    Shared,
    /// It is the user's own.
    Owned,
}

impl Trust {
    /// All of them, by the words of `hosts.toml`.
    pub(crate) const WORDS: [(&str, Self); 3] =
        [("rented", Self::Rented), ("shared", Self::Shared), ("owned", Self::Owned)];

    /// Its word in `hosts.toml`.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, trust)| *trust == self).map_or("", |(word, _)| word)
    }
}

/// Which way secrets travel to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CarrierChoice {
    /// The channel's environment for the names that the server accepts, else the preamble; on a rented
    /// host always the preamble.
    #[default]
    Auto,
    /// The channel's environment, or not at all.
    Channel,
    /// The preamble only.
    Preamble,
}

/// Who speaks SSH to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Doppio itself.
    #[default]
    Doppio,
    /// The user's own `ssh`.
    OpenSsh,
}

impl Transport {
    /// All of them, by the words of `hosts.toml`.
    pub(crate) const WORDS: [(&str, Self); 2] = [("doppio", Self::Doppio), ("openssh", Self::OpenSsh)];

    /// Its word in `hosts.toml`.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, transport)| *transport == self).map_or("", |(word, _)| word)
    }
}

/// A host for which OpenSSH's client reads the user's own configuration, with all its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigHost {
    /// What `ssh` is asked for.
    pub name: String,
    /// What an entry of `hosts.toml` adds: options of `ssh_config(5)` and their values.
    pub options: Vec<(&'static str, String)>,
}

/// Which agent holds keys for a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AgentChoice {
    /// The one of the environment.
    #[default]
    Default,
    /// The one behind this socket.
    Socket(PathBuf),
    /// None.
    None,
}

/// What happens to a host key that nobody knows yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstContact {
    /// It is shown, accepted and kept.
    #[default]
    Accept,
    /// It is refused: `StrictHostKeyChecking yes`.
    Refuse,
}

/// Where a host's name is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NamedBy {
    /// It is an address, or a name that resolves.
    #[default]
    Nobody,
    /// An entry of `hosts.toml`.
    HostsFile,
    /// A `Host` block of `ssh_config`.
    SshConfig,
}

/// Which addresses of a name count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressFamily {
    /// All.
    #[default]
    Any,
    /// Those of IPv4.
    V4,
    /// Those of IPv6.
    V6,
}

/// Host keys that the user has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// The entry of `hosts.toml` that names them; the host may be asked for by another name.
    pub entry: String,
    /// The keys, at least one.
    pub keys: Vec<PinnedKey>,
}

/// How to reach one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSpec {
    /// What messages call it: the id of the recipe.
    pub name: String,
    /// What its key is known under: the entry's name or an alias, else the address as `known_hosts`
    /// files write it.
    pub identity: String,
    /// Name or address.
    pub hostname: String,
    /// Which addresses of the name count.
    pub family: AddressFamily,
    /// TCP port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// Private keys, in the order in which they are offered.
    pub identity_files: Vec<PathBuf>,
    /// Whether the identity files were named for this host: they are then offered before other
    /// keys of the agent.
    pub identities_named: bool,
    /// Certificates for them, beside those that lie next to a key as `KEY-cert.pub`.
    pub certificate_files: Vec<PathBuf>,
    /// Whether keys of the agent that are in no identity file stay unused.
    pub identities_only: bool,
    /// Which agent holds keys for it.
    pub agent: AgentChoice,
    /// Hosts to go through, the first one first.
    pub jump: Vec<HostSpec>,
    /// A command of this machine whose stdin and stdout are the connection.
    pub proxy_command: Option<String>,
    /// Whether the identity is a `HostKeyAlias`, which stands for the address: what is known of the
    /// address does not count.
    pub is_alias: bool,
    /// The rented machine that it is: who hires it out says where, at each connection. Name, port and
    /// user of the host then mean nothing.
    pub rented: Option<String>,
    /// The only host keys that are right, if the user has named them.
    pub pins: Option<Box<Pins>>,
    /// The user's own lists of host keys, which are read and never written.
    pub known_hosts: Vec<PathBuf>,
    /// What happens at the first contact, if the user has said so for this host.
    pub first_contact: Option<FirstContact>,
    /// Where its name is from.
    pub named_by: NamedBy,
    /// Who speaks SSH to it.
    pub transport: Transport,
    /// What the user's own `ssh` is asked for, where that is its transport and its address is not in
    /// `hosts.toml`.
    pub config_host: Option<Box<ConfigHost>>,
    /// Who else has root on it.
    pub trust: Trust,
    /// Which way secrets travel.
    pub carrier: CarrierChoice,
    /// Environment of every step on it; not for secrets.
    pub env: BTreeMap<String, String>,
    /// Where steps run unless they say otherwise.
    pub workdir: Option<String>,
    /// The providers whose credentials every step on it has.
    pub credentials: Vec<Wanted>,
    /// Time between keepalives; three unanswered ones end the connection.
    pub keepalive: Duration,
    /// How long each phase of a connect may take.
    pub deadlines: Deadlines,
}

impl HostSpec {
    /// A host with everything else at its default: no key, no list of host keys, port as given.
    pub fn new(name: &str, user: &str, hostname: &str, port: u16) -> Self {
        Self {
            name: name.to_owned(),
            identity: known_as(hostname, port),
            hostname: hostname.to_owned(),
            family: AddressFamily::Any,
            port,
            user: user.to_owned(),
            identity_files: Vec::new(),
            identities_named: false,
            certificate_files: Vec::new(),
            identities_only: false,
            agent: AgentChoice::Default,
            jump: Vec::new(),
            proxy_command: None,
            is_alias: false,
            rented: None,
            pins: None,
            known_hosts: Vec::new(),
            first_contact: None,
            named_by: NamedBy::Nobody,
            transport: Transport::Doppio,
            config_host: None,
            trust: Trust::Rented,
            carrier: CarrierChoice::Auto,
            env: BTreeMap::new(),
            workdir: None,
            credentials: Vec::new(),
            keepalive: Duration::from_secs(10),
            deadlines: Deadlines::default(),
        }
    }

    /// Which way secrets travel. Whoever runs a host's SSH server can have it log what the channel's
    /// environment carries, and what login files leave in the background inherits it: on a rented
    /// host that is not chosen without being asked for. Variables that `ssh` is to send would stand in
    /// its arguments or its environment.
    pub fn carrier(&self) -> CarrierChoice {
        if self.transport == Transport::OpenSsh {
            return CarrierChoice::Preamble;
        }
        match (self.carrier, self.trust) {
            (CarrierChoice::Auto, Trust::Rented) => CarrierChoice::Preamble,
            (choice, _) => choice,
        }
    }

    /// Where it is, as in `root@10.0.0.7:22`, or by whose word.
    pub fn place(&self) -> String {
        match &self.rented {
            Some(id) => format!("the address that {} has for `{id}`", vendor(id)),
            None => format!("{}@{}", self.user, self.address()),
        }
    }

    /// Address and port, as in `10.0.0.7:22` or `[::1]:22`.
    pub fn address(&self) -> String {
        if self.hostname.contains(':') {
            format!("[{}]:{}", self.hostname, self.port)
        } else {
            format!("{}:{}", self.hostname, self.port)
        }
    }
}

/// Who hires a machine out, by its id.
fn vendor(id: &str) -> &str {
    match id.split_once('-').map_or(id, |(vendor, _)| vendor) {
        "vast" => "vast.ai",
        "runpod" => "RunPod",
        "lambda" => "Lambda",
        other => other,
    }
}

/// An address as `known_hosts` files write it: alone on port 22, else `[ADDRESS]:PORT`.
pub(crate) fn known_as(hostname: &str, port: u16) -> String {
    let hostname = hostname.to_lowercase();
    if port == 22 { hostname } else { format!("[{hostname}]:{port}") }
}
