//! The integration tests that need nothing installed but a Rust toolchain, git and a shell: the real
//! binary on this machine. `tests/servers` has the others.

#![expect(clippy::unwrap_used, reason = "a set-up that fails must fail the test")]
#![expect(clippy::disallowed_methods, reason = "tests hand their own PATH on")]

mod any_recipe;
mod audit;
mod check;
mod child_processes;
mod circles;
mod cli;
mod docs;
mod doctor;
mod exec;
mod first_build;
mod foreign_text;
mod handed_over;
mod hosts;
mod journal;
mod layers;
mod mask;
mod operations;
mod packaging;
mod paths;
mod plan;
mod project;
mod providers;
mod run;
mod scan;
mod secret_cli;
mod secret_clipboard;
mod secret_exec;
mod secret_export;
mod secret_import;
mod secret_parts;
mod secret_prompt;
mod secret_properties;
mod secret_rotate;
mod secret_versions;
mod shell_text;
mod steps;
mod stops;
mod support;
mod trust;
mod vast;
mod vendors;
