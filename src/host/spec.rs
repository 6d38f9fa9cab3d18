//! What is known of a host: an entry of `hosts.toml`, or what a name resolved to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Hosts to go through, the first one first.
    pub jump: Vec<HostSpec>,
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
