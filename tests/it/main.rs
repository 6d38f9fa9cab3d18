//! The integration tests, one crate: real binary, real servers.

mod cli;
mod connect;
mod exec;
mod layers;
mod mask;
mod sandbox;
mod shell_text;
mod sshd;
mod steps;
mod support;
mod tmux;
