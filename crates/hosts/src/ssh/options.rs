//! What every connection of a run shares.

use std::path::PathBuf;
use std::sync::Arc;

use doppio_secrets::SecretSession;

use crate::FirstContact;
use crate::Prompt;
use crate::RentedMachines;
use crate::ssh::handshakes::Handshakes;
use crate::ssh::winners::Winners;

/// What every connection of a run shares.
#[derive(Clone)]
pub(crate) struct ConnectOptions {
    /// Passphrases and passwords come from here.
    pub secrets: Arc<SecretSession>,
    /// Who is asked when the vault has none, and told of new host keys.
    pub prompt: Arc<dyn Prompt>,
    /// The user's home, for `~/.ssh`.
    pub home: PathBuf,
    /// Doppio's own state directory, where the host keys it learnt are kept.
    pub state: PathBuf,
    /// Where the user's `hosts.toml` is, for messages.
    pub hosts_toml: String,
    /// What happens to a key that nobody knows, where the host's own settings leave it open.
    pub first_contact: FirstContact,
    /// The agent's socket, if there is one.
    pub agent: Option<PathBuf>,
    /// How many handshakes run at once; clones share it.
    pub handshakes: Handshakes,
    /// What knows the user's rented machines.
    pub rented: Option<Arc<dyn RentedMachines>>,
    /// Which way to each of them won last; clones share it.
    pub winners: Winners,
}
