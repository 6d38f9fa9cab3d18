//! SSH: from a [`HostSpec`](crate::host::HostSpec) to an authenticated connection and its
//! channels. `russh` is named only below this module.

mod auth;
mod client;
pub(in crate::host) mod connect;
mod dial;
mod handshakes;
mod identity;
pub(in crate::host) mod known_hosts;
mod opening;
mod signer;
pub(in crate::host) mod trust;
