//! `ssh_command`, `run_commands` and `local_command`: shell text on a host or on this machine.

mod local_command;
mod options;
mod run_commands;
mod ssh_command;

pub(super) use local_command::KIND as LOCAL_COMMAND;
pub(super) use options::Options;
pub(super) use run_commands::KIND as RUN_COMMANDS;
pub(super) use ssh_command::KIND as SSH_COMMAND;
