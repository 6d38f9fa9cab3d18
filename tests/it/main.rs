//! The integration tests, one crate: real binary, real servers.

mod cli;
mod exec;
mod layers;
mod sshd;
mod support;
