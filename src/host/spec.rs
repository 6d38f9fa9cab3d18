//! What is known of a host: an entry of `hosts.toml`, or what a name resolved to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::host::ssh::connect::Deadlines;
use crate::text::Diagnostic;
use crate::text::Source;

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

/// Which way secrets travel to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CarrierChoice {
    /// The channel's environment for the names that the server accepts, else the preamble.
    #[default]
    Auto,
    /// The channel's environment, or not at all.
    Channel,
    /// The preamble only.
    Preamble,
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

/// How to reach one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSpec {
    /// What its key is known under: the id, not the address.
    pub identity: String,
    /// Name or address.
    pub hostname: String,
    /// TCP port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// Private keys, in the order in which they are offered.
    pub identity_files: Vec<PathBuf>,
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
    /// The user's own lists of host keys, which are read and never written.
    pub known_hosts: Vec<PathBuf>,
    /// What happens at the first contact.
    pub first_contact: FirstContact,
    /// Who else has root on it.
    pub trust: Trust,
    /// Which way secrets travel.
    pub carrier: CarrierChoice,
    /// Environment of every step on it; not for secrets.
    pub env: BTreeMap<String, String>,
    /// Where steps run unless they say otherwise.
    pub workdir: Option<String>,
    /// Time between keepalives; three unanswered ones end the connection.
    pub keepalive: Duration,
    /// How long each phase of a connect may take.
    pub deadlines: Deadlines,
}

/// `hosts.toml`, read and checked.
#[derive(Debug, Clone, Default)]
pub struct HostsFile {}

impl HostsFile {
    /// Reads the text of a `hosts.toml`.
    ///
    /// # Errors
    ///
    /// All its faults, with their places.
    pub fn parse(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let _ = source;
        unimplemented!("SKELETON")
    }

    /// The names it has, in the file's order.
    pub fn names(&self) -> Vec<String> {
        unimplemented!("SKELETON")
    }

    /// The names that bear a tag, in the file's order.
    pub fn tagged(&self, tag: &str) -> Vec<String> {
        let _ = tag;
        unimplemented!("SKELETON")
    }
}
