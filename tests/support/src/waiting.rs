//! Waiting for what another process does, and telling it to end.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// Far more than anything that a test waits for takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until `is_so`, or fails the test.
#[track_caller]
pub fn wait_for(what: &str, is_so: impl FnMut() -> bool) {
    wait_until(is_so, || format!("waited in vain for {what}"));
}

/// Waits until `is_so`, or fails the test with words of its own.
#[track_caller]
pub fn wait_until(mut is_so: impl FnMut() -> bool, words: impl FnOnce() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", words());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a file ends with a whole line, and reads it.
#[track_caller]
pub fn wait_for_line(path: &Path) -> String {
    let mut text = String::new();
    wait_for(&path.display().to_string(), || {
        text = fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    });
    text.truncate(text.len() - 1);
    text
}

/// Sends a process a signal.
pub fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("the process can be signalled");
}

/// Whether a process is there and no zombie.
#[must_use]
pub fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
