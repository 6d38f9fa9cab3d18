//! Which jobs a host has.

use doppio_hosts::Exec;

use crate::step::job::script::script;

/// Prints what is known of all jobs, as `key=value` lines: `job` begins a record, and `gpu` has the session
/// of a process that uses a GPU, and its MiB.
pub fn list_jobs() -> Exec {
    script(&[], &[include_str!("list.sh")])
}
