//! The user's own OpenSSH client, told how to reach a host.

use std::path::Path;
use std::path::PathBuf;

use doppio_text::name::HostId;

use crate::HostError;
use crate::HostSpec;
use crate::PoolOptions;
use crate::Transport;
use crate::resolve::Resolver;
use crate::resolve::Target;
use crate::ssh::connect;
use crate::ssh::host_key;
use crate::ssh::openssh_config::openssh_config;
use crate::ssh::reach::locate;
use crate::ssh_config;

/// What OpenSSH is to read to reach a host as Doppio does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSsh {
    /// `Host` blocks of `ssh_config(5)`; nothing in them is secret.
    pub config: String,
    /// Lines of a list of host keys, for the file that `config` names.
    pub keys: String,
}

/// The host behind an id, as all that is known of it adds up. None for this machine and the sandbox.
///
/// # Errors
///
/// When it is unknown, with similar names; when `ssh_config` has a fault; when the vendor of a rented
/// machine can't say where it is.
pub async fn resolve(id: &HostId, options: &PoolOptions) -> Result<Option<HostSpec>, HostError> {
    let rented = options.rented.as_deref();
    let resolver = Resolver { hosts: &options.hosts, home: &options.home, rented };
    Ok(match resolver.resolve(id).await? {
        Target::Ssh(spec) => Some(locate(*spec, rented).await?),
        Target::Local | Target::Sandbox => None,
    })
}

/// What OpenSSH is to read; the host is called `alias` there. The lines of host keys will be in the
/// file `keys`.
///
/// # Errors
///
/// When a list of host keys can't be read, or something can't stand in an `ssh_config`.
pub fn openssh(
    spec: &HostSpec,
    alias: &str,
    keys: &Path,
    options: &PoolOptions,
) -> Result<OpenSsh, HostError> {
    let config = openssh_config(spec, alias, keys, &options.connect())?;
    Ok(OpenSsh { config: config.blocks, keys: config.keys })
}

/// The file that `ssh` is to read for the user's own configuration, if it must be named.
pub async fn user_config(home: &Path) -> Option<PathBuf> {
    ssh_config::file(home).await
}

/// Connects as far as the host's key, and decides about it: what is new is kept. Only jump hosts are
/// logged in to. Where the user's own `ssh` is the transport, that decides.
///
/// # Errors
///
/// When the host can't be reached, or its key is not the host's.
pub async fn check_host_key(spec: &HostSpec, options: &PoolOptions) -> Result<(), HostError> {
    if spec.transport == Transport::OpenSsh {
        return Ok(());
    }
    connect::check_host_key(spec, &options.connect()).await
}

/// A host key that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHostKey {
    /// As in `ssh-ed25519 SHA256:…`.
    pub fingerprint: String,
    /// Where it is known from, as in `~/.ssh/known_hosts:3`.
    pub from: String,
}

/// The keys that count as the host's, without connecting.
///
/// # Errors
///
/// When a list of host keys can't be read.
pub fn known_host_keys(spec: &HostSpec, options: &PoolOptions) -> Result<Vec<KnownHostKey>, HostError> {
    let known = host_key::known(spec, &options.connect())?;
    Ok(known.into_iter().map(|(fingerprint, from)| KnownHostKey { fingerprint, from }).collect())
}

/// The names of the `Host` lines of the user's `ssh_config`, patterns left out; files that it includes
/// are not read.
pub fn ssh_config_hosts(home: &Path) -> Vec<String> {
    ssh_config::host_names(&home.join(".ssh/config"))
}
