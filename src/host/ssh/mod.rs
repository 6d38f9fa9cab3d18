//! SSH: from a [`HostSpec`](crate::host::HostSpec) to an authenticated connection and its
//! channels. `russh` is named only below this module.

pub(in crate::host) mod connect;
