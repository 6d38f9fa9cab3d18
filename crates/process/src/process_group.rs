//! Ending what was started, with all that it has started.
//!
//! Away from a terminal a program has a process group of its own, which dies with a call that is
//! given up: what `sh -c` or `pass` started must not go on, and perhaps write, when the user was
//! told that it failed. At a terminal it stays in the group that the terminal listens to, because it
//! may ask something there and one in another group would be stopped for that; then those that
//! descend from it are ended one by one.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Pid;
use rustix::process::Signal;

/// Whose group a program is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// It leads one.
    Own,
    /// Doppio's.
    Shared,
}

impl Group {
    /// The one for a program that dies with its call.
    pub(crate) fn choose(command: &mut Command) -> Self {
        if is_at_terminal() {
            return Self::Shared;
        }
        command.process_group(0);
        Self::Own
    }

    /// Ends the program with this number, which must not have been waited for: the number might be
    /// somebody else's by then.
    pub(crate) fn end(self, id: u32) {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| !pid.is_init()) else { return };
        match self {
            Self::Own => drop(rustix::process::kill_process_group(pid, Signal::KILL)),
            Self::Shared => end_with_descendants(pid),
        }
    }
}

/// Whether there is a terminal that listens to Doppio's process group: its keys reach what Doppio
/// starts, too.
pub fn is_at_terminal() -> bool {
    let Ok(terminal) = fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|front| front == rustix::process::getpgrp())
}

/// Ends a process and all that descend from it, as far as the system tells who does: Linux only.
/// Each is stopped before its children are looked up, so that none is made meanwhile.
fn end_with_descendants(pid: Pid) {
    rustix::process::kill_process(pid, Signal::STOP).ok();
    for child in children(pid) {
        end_with_descendants(child);
    }
    rustix::process::kill_process(pid, Signal::KILL).ok();
}

fn children(pid: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        let text = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)));
    }
    found
}
