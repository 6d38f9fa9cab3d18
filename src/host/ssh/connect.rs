//! SKELETON
//! From a host's address to an authenticated session.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::host::HostError;
use crate::host::HostSpec;
use crate::host::Prompt;
use crate::secret::Vault;

/// What every connection of a run shares.
#[derive(Clone)]
pub(in crate::host) struct ConnectOptions {
    /// Passphrases and passwords come from here.
    pub vault: Arc<Vault>,
    /// Who is asked when the vault has none, and told of new host keys.
    pub prompt: Arc<dyn Prompt>,
    /// The user's home, for `~/.ssh`.
    pub home: PathBuf,
    /// Doppio's own state directory, where the host keys it learnt are kept.
    pub state: PathBuf,
    /// The agent's socket, if there is one.
    pub agent: Option<PathBuf>,
    /// How many handshakes run at once; clones share it.
    pub handshakes: Handshakes,
}

/// Lets at most five handshakes run at once per server or jump host. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(in crate::host) struct Handshakes {}

/// How long each phase of a connect may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The name's look-up and the TCP handshake.
    pub tcp: Duration,
    /// The server's first line.
    pub banner: Duration,
    /// The key exchange and the check of the host key.
    pub kex: Duration,
    /// Logging in, without the time a user takes to answer.
    pub auth: Duration,
    /// All of it, retries included.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            tcp: seconds(10),
            banner: seconds(10),
            kex: seconds(15),
            auth: seconds(30),
            total: seconds(60),
        }
    }
}

/// What the server said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) struct ServerFacts {
    /// Its first line, as in `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
    pub banner: String,
    /// The host key's algorithm and fingerprint, as in `ssh-ed25519 SHA256:…`.
    pub host_key: String,
    /// What it wants a person to read before logging in; empty mostly.
    pub notice: String,
}

/// A session that is logged in. Dropping it ends it; share it behind an `Arc`.
pub(in crate::host) struct Connection {
    /// russh's own door to the session: `channel_open_session` takes `&self`.
    pub handle: russh::client::Handle<Client>,
    /// What the server said of itself.
    pub server: ServerFacts,
    ended: watch::Receiver<Option<String>>,
    /// The sessions that this one goes through.
    _through: Vec<Connection>,
}

impl Connection {
    /// Why the session ended, in a few words; none while it lives.
    pub fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits until the session ends and says why.
    pub async fn wait_ended(&self) -> String {
        let mut ended = self.ended.clone();
        let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| "the session was dropped".to_owned())
    }
}

/// What russh calls back.
pub(in crate::host) struct Client {
    ended: watch::Sender<Option<String>>,
}

impl russh::client::Handler for Client {
    type Error = russh::Error;
}

/// Connects and logs in; through the jump hosts where there are any.
///
/// # Errors
///
/// One [`HostError`] per cause that the user can do something about.
pub(in crate::host) async fn connect(
    spec: &HostSpec,
    options: &ConnectOptions,
) -> Result<Connection, HostError> {
    let _ = (spec, options);
    unimplemented!("SKELETON")
}
