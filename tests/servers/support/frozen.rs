//! Servers that stand still while their network goes on: nothing is refused, and nothing is answered.

use std::fs;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use crate::support::sshd::Sshd;

/// Processes that are stopped until this is dropped.
pub(crate) struct Frozen(Vec<Pid>);

impl Frozen {
    /// Stops what serves the connections that a server has now.
    pub(crate) fn connections(server: &Sshd) -> Self {
        Self::stop(children(server.pid()))
    }

    /// Stops them and the server itself: new connections are not answered either.
    pub(crate) fn whole(server: &Sshd) -> Self {
        let mut pids = vec![server.pid()];
        pids.extend(children(server.pid()));
        Self::stop(pids)
    }

    fn stop(pids: Vec<u32>) -> Self {
        let pids: Vec<Pid> =
            pids.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).collect();
        assert!(!pids.is_empty(), "there is nothing to freeze");
        for pid in &pids {
            kill_process(*pid, Signal::STOP).unwrap();
        }
        Self(pids)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            // Some have ended, and that is fine.
            kill_process(*pid, Signal::CONT).ok();
        }
    }
}

fn children(of: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}
