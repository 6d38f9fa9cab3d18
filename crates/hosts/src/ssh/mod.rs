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
pub(crate) mod connect;
mod dial;
mod drain;
mod handshakes;
pub(crate) mod host_key;
mod identity;
pub(crate) mod known_hosts;
pub(crate) mod options;
mod pooled;
pub(crate) mod sandbox;
mod sandbox_exec;
pub(crate) mod session;
mod signer;
mod typed;
