//! The integration tests against real servers, shells and programs of others. `tests/run.sh` installs
//! what they need; a test whose program is missing fails.

#![expect(clippy::unwrap_used, reason = "a set-up that fails must fail the test")]
#![expect(clippy::print_stderr, reason = "what a test prints is shown when it fails")]
#![expect(clippy::disallowed_methods, reason = "tests hand their own PATH on")]

mod age_vault;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod connect;
mod doctor;
mod echoes;
mod ends;
mod exec;
mod forward;
#[cfg(feature = "gcp")]
mod gcp;
mod handed_over;
mod host_facts;
mod hosts;
mod keyring;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod leak;
mod manager_programs;
mod memory;
mod openssh;
mod ownership;
mod packages;
mod printed;
mod providers;
mod readers;
mod recipes;
mod rented;
mod sandbox;
mod scan_keys;
mod secret_copy;
mod session;
mod shell_text;
mod source_contract;
mod sshd_fixture;
mod support;
mod terminal;
mod tmux;
#[cfg(feature = "vault")]
mod vault_source;
