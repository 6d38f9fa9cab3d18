//! Whether a host can be reached and logged in to, and what it says of itself.

use std::path::Path;
use std::time::Instant;

use doppio_text::name::HostId;

use crate::HostError;
use crate::HostSpec;
use crate::HostsFile;
use crate::PoolOptions;
use crate::RentedMachines;
use crate::Transport;
use crate::Trust;
use crate::deadlines::Times;
use crate::openssh_host::OpenSshHost;
use crate::resolve::Resolver;
use crate::resolve::Target;
use crate::ssh::host_key;
use crate::ssh::host_key::OWN_FILE;
use crate::ssh::known_hosts;
use crate::ssh::reach::reach;

/// What a host that lets us in is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Address and port, as in `10.0.0.7:22`.
    pub place: String,
    /// Who logged in.
    pub user: String,
    /// Who else has root on it, as far as the user said.
    pub trust: Trust,
    /// The server's first line, as in `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
    pub banner: String,
    /// The host key, as in `ssh-ed25519 SHA256:…`.
    pub host_key: String,
    /// What the server wants a person to read before logging in; empty mostly.
    pub notice: String,
    /// By what the login succeeded, as in `key SHA256:… (~/.ssh/id_ed25519)`.
    pub login: String,
    /// How long each phase of the connect took.
    pub times: Times,
}

/// Forgets the keys that Doppio has kept for a host. Gives how many there were.
///
/// # Errors
///
/// When the list of host keys can't be written.
pub async fn forget(
    id: &HostId,
    hosts: &HostsFile,
    home: &Path,
    state: &Path,
    rented: Option<&dyn RentedMachines>,
) -> Result<usize, HostError> {
    // A name that leads nowhere any more may still have a key.
    let identity = match (Resolver { hosts, home, rented }).resolve(id).await {
        Ok(Target::Ssh(spec)) => spec.identity,
        _ => id.to_string(),
    };
    let list = state.join(OWN_FILE);
    known_hosts::forget(&list, &identity).map_err(|error| {
        HostError::new(format!("cannot forget the key of `{id}`"))
            .cause(format!("cannot write {}: {error}", list.display()))
    })
}

/// Resolves a host, connects, logs in and hangs up. None for this machine and the sandbox, which
/// need no connection.
///
/// # Errors
///
/// When it can't be resolved, reached, trusted or logged in to.
pub async fn probe(id: &HostId, options: &PoolOptions) -> Result<Option<Probed>, HostError> {
    let resolver = Resolver { hosts: &options.hosts, home: &options.home, rented: options.rented.as_deref() };
    let Target::Ssh(spec) = resolver.resolve(id).await? else { return Ok(None) };
    if spec.transport == Transport::OpenSsh {
        return by_openssh(*spec, options).await.map(Some);
    }
    let connection = reach(&spec, &options.connect()).await?;
    let server = connection.server.clone();
    connection.hang_up().await;
    Ok(Some(Probed {
        place: if spec.rented.is_some() { spec.place() } else { spec.address() },
        user: spec.user,
        trust: spec.trust,
        banner: server.banner,
        host_key: server.host_key,
        notice: server.notice,
        login: server.login,
        times: server.times,
    }))
}

/// The same by the user's own `ssh`, which says less.
async fn by_openssh(spec: HostSpec, options: &PoolOptions) -> Result<Probed, HostError> {
    let begin = Instant::now();
    let host = OpenSshHost::new(spec.clone(), options.connect());
    let connected = host.connect().await;
    let times = Times { login: begin.elapsed(), ..Times::default() };
    host.close().await;
    connected?;
    let known = host_key::known(&spec, &options.connect())?;
    let key = known.into_iter().next().map(|(fingerprint, _)| fingerprint);
    Ok(Probed {
        place: if spec.rented.is_some() { spec.place() } else { spec.address() },
        user: spec.user,
        trust: spec.trust,
        banner: "reached by your own `ssh`".to_owned(),
        host_key: key.unwrap_or_else(|| "one that your own `ssh` trusts".to_owned()),
        notice: String::new(),
        login: "your own `ssh`".to_owned(),
        times,
    })
}
