//! The integration tests, one crate: real binary, real servers.

mod layers;
mod sshd;
mod support;
