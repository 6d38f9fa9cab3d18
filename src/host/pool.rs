//! One connection a host, made when it is first needed and shared by all its steps.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::host::Host;
use crate::host::HostError;
use crate::host::HostsFile;
use crate::name::EnvName;
use crate::name::HostId;
use crate::secret::Prompt;
use crate::secret::Vault;

/// What a pool needs to know.
pub struct PoolOptions {
    /// The user's `hosts.toml`.
    pub hosts: HostsFile,
    /// Passphrases and passwords come from here (`ssh/passphrase`, `ssh/password`).
    pub vault: Arc<Vault>,
    /// Who is asked when the vault has none.
    pub prompt: Arc<dyn Prompt>,
    /// The user's home, for `~/.ssh`.
    pub home: PathBuf,
    /// Doppio's own state directory, where the host keys it learnt are kept.
    pub state: PathBuf,
    /// The agent's socket, if there is one.
    pub agent: Option<PathBuf>,
    /// Every host is the sandbox.
    pub sandbox: bool,
    /// The variables that steps will want to send, for learning which a server accepts.
    pub env_names: BTreeSet<EnvName>,
}

/// All hosts of a run.
pub struct Pool {}

impl Pool {
    /// An empty pool; nothing is connected yet.
    pub fn new(options: PoolOptions) -> Self {
        let _ = options;
        unimplemented!("SKELETON")
    }

    /// Whether a name can be resolved, without connecting: for the plan.
    ///
    /// # Errors
    ///
    /// When nothing knows the name, with the names that come near.
    pub async fn resolve(&self, id: &HostId) -> Result<String, HostError> {
        let _ = id;
        unimplemented!("SKELETON")
    }

    /// The host, connected and authenticated. Steps that ask at the same time share the attempt.
    ///
    /// # Errors
    ///
    /// When it can't be resolved, reached, trusted or logged in to.
    pub async fn host(&self, id: &HostId) -> Result<Host, HostError> {
        let _ = id;
        unimplemented!("SKELETON")
    }

    /// This machine.
    pub fn local(&self) -> Host {
        Host::local()
    }

    /// Closes every connection politely, within a second.
    pub async fn close(&self) {}
}
