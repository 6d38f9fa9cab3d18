//! SSH: from a [`HostSpec`](crate::host::HostSpec) to an authenticated connection and its
//! channels. `russh` is named only below this module.

mod auth;
mod carrier;
mod channel;
mod client;
pub(in crate::host) mod connect;
mod dial;
mod guest;
mod handshakes;
mod identity;
pub(in crate::host) mod known_hosts;
mod line;
mod opening;
pub(in crate::host) mod sandbox;
pub(in crate::host) mod session;
mod signer;
pub(in crate::host) mod trust;
