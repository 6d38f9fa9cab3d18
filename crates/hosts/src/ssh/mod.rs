//! SSH: from a [`HostSpec`](crate::HostSpec) to an authenticated connection and its
//! channels. `russh` is named only below this module.

mod announced;
mod armed;
mod auth;
mod banner;
mod budget;
mod carrier;
mod channel;
mod client;
pub(crate) mod client_trust;
pub(crate) mod connect;
mod dial;
mod drain;
pub(crate) mod forward;
mod handshakes;
pub(crate) mod host_key;
pub(crate) mod identity;
mod key_file;
pub(crate) mod known_hosts;
mod legacy_pem;
pub(crate) mod openssh_config;
pub(crate) mod options;
pub(crate) mod pinned_key;
mod pooled;
pub(crate) mod reach;
pub(crate) mod sandbox;
mod sandbox_exec;
pub(crate) mod session;
mod signer;
mod strangers;
pub(crate) mod typed;
pub(crate) mod winners;
