//! The integration tests, one crate: real binary, real servers.

#![expect(clippy::unwrap_used, reason = "a set-up that fails must fail the test")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what a test prints is shown when it fails")]
#![expect(clippy::disallowed_methods, reason = "tests hand their own PATH on")]

mod any_recipe;
mod audit;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod check;
mod child_processes;
mod circles;
mod cli;
mod connect;
mod docs;
mod doctor;
mod exec;
mod foreign_text;
#[cfg(feature = "gcp")]
mod gcp;
mod journal;
mod keyring;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod layers;
mod leak;
mod manager_programs;
mod mask;
mod operations;
mod packaging;
mod plan;
mod providers;
mod run;
mod sandbox;
mod scan;
mod secret_cli;
mod secret_clipboard;
mod secret_copy;
mod secret_exec;
mod secret_export;
mod secret_import;
mod secret_parts;
mod secret_prompt;
mod secret_properties;
mod secret_rotate;
mod secret_versions;
mod shell_text;
mod source_contract;
mod sshd;
mod steps;
mod support;
mod tmux;
mod vault_kill;
#[cfg(feature = "vault")]
mod vault_source;
