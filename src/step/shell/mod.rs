//! `ssh_command`, `run_commands` and `local_command`: shell text on a host or on this machine.

mod local_command;
mod options;
mod run_commands;
mod ssh_command;

pub(super) use local_command::LocalCommand;
pub(super) use run_commands::RunCommands;
pub(super) use ssh_command::SshCommand;
