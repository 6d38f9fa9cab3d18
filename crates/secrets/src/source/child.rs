//! A program that Doppio starts to get a secret: it gets its input and is read to its end; if the
//! caller stops waiting, it is ended with all that it has started. What it leaves behind when it
//! ends by itself, as an agent that keeps a key open, lives on.
//!
//! Away from a terminal it has a process group of its own, which dies with a call that is given up:
//! what `sh -c` or `pass` started must not go on, and perhaps write, when the user was told that it
//! failed. At a terminal it stays in the group that the terminal listens to, because it may ask
//! something there and one in another group would be stopped for that; then those that descend
//! from it are ended one by one.

use std::fs;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::process::Command;
use zeroize::Zeroizing;

/// How much of its error output is kept, in bytes.
const COMPLAINTS: u64 = 16 << 10;

/// How long its pipes are read after its end: what it printed is in them, and one that it left
/// behind may hold them open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// A program that runs; it dies when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    has_group: bool,
}

/// What became of it. What it printed may be a secret, so this has no `Debug`.
pub struct Heard {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Zeroizing<Vec<u8>>,
    /// The beginning of its error output, if that is a pipe.
    pub stderr: Vec<u8>,
}

/// Why it could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It printed more than the caller can use.
    #[error("it printed too much")]
    TooLong,
    /// A pipe or the wait for its end failed.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let has_group = !is_at_terminal();
        if has_group {
            command.process_group(0);
        }
        Ok(Self { child: command.kill_on_drop(true).spawn()?, has_group })
    }

    /// Writes its input and reads it to its end; `longest` is in bytes.
    ///
    /// # Errors
    ///
    /// When it prints more, or a pipe breaks.
    pub async fn finish(mut self, stdin: Option<&[u8]>, longest: usize) -> Result<Heard, Broken> {
        let (into, out, complaints) =
            (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let (mut stdout, mut stderr) = (Zeroizing::new(Vec::new()), Vec::new());
        let write = async {
            if let (Some(mut into), Some(text)) = (into, stdin) {
                // One that ends without reading is told by how it ends.
                drop(into.write_all(text).await);
            }
            Ok(())
        };
        let talk = futures_util::future::try_join3(
            write,
            read(out, &mut stdout, longest),
            hear(complaints, &mut stderr),
        );
        let status = {
            let mut talk = pin!(talk);
            tokio::select! {
                spoken = &mut talk => {
                    spoken?;
                    self.child.wait().await?
                }
                status = self.child.wait() => {
                    if let Ok(spoken) = tokio::time::timeout(GRACE, &mut talk).await {
                        spoken?;
                    }
                    status?
                }
            }
        };
        Ok(Heard { status, stdout, stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // None when it has ended already: then its number may be somebody else's.
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| !pid.is_init()) else { return };
        if self.has_group {
            rustix::process::kill_process_group(pid, Signal::KILL).ok();
        } else {
            end_with_descendants(pid);
        }
    }
}

/// Reads to the end. A vector that grows leaves its old bytes behind, so it is moved by hand.
async fn read(
    from: Option<impl AsyncRead + Unpin>,
    into: &mut Zeroizing<Vec<u8>>,
    longest: usize,
) -> Result<(), Broken> {
    let Some(mut from) = from else { return Ok(()) };
    into.reserve_exact(64 << 10);
    while from.read_buf(&mut **into).await? > 0 {
        if into.len() > longest {
            return Err(Broken::TooLong);
        }
        if into.capacity() - into.len() < 4 << 10 {
            let mut longer = Zeroizing::new(Vec::with_capacity(into.capacity() * 2));
            longer.extend_from_slice(into);
            *into = longer;
        }
    }
    Ok(())
}

async fn hear(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> Result<(), Broken> {
    let Some(mut from) = from else { return Ok(()) };
    (&mut from).take(COMPLAINTS).read_to_end(into).await?;
    // More would block it; it is thrown away.
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Stdio;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    async fn heard(script: &str) -> Result<Heard, Broken> {
        Running::start(&mut shell(script)).unwrap().finish(None, 1 << 20).await
    }

    async fn until(is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < deadline, "it did not come about in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A pipeline whose second part writes its number to `file` and stays.
    fn pipeline(file: &Path) -> String {
        format!("true | sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec sleep 600'; true", file.display())
    }

    async fn number(file: &Path) -> Pid {
        until(|| file.exists()).await;
        Pid::from_raw(fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap()
    }

    /// Gone, or dead and not yet looked at by its parent.
    fn is_gone(pid: Pid) -> bool {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    }

    #[tokio::test]
    async fn what_it_has_started_dies_with_the_call() {
        let folder = tempfile::tempdir().unwrap();
        for has_group in [true, false] {
            let file = folder.path().join(format!("number-{has_group}"));
            let mut command = shell(&pipeline(&file));
            if has_group {
                command.process_group(0);
            }
            let child = command.kill_on_drop(true).spawn().unwrap();
            let mut call = Box::pin(Running { child, has_group }.finish(None, 10));
            let grandchild = tokio::select! {
                _ = &mut call => panic!("it ended by itself"),
                pid = number(&file) => pid,
            };
            assert!(!is_gone(grandchild));
            drop(call);
            until(|| is_gone(grandchild)).await;
        }
    }

    #[tokio::test]
    async fn one_that_is_left_behind_holds_nobody_up() {
        let start = Instant::now();
        let heard = heard("printf hunter2; echo oh >&2; setsid sleep 600 & echo $! >&2").await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(heard.stdout.as_slice(), b"hunter2");
        let words = String::from_utf8(heard.stderr).unwrap();
        let (oh, pid) = words.trim().split_once('\n').unwrap();
        assert_eq!(oh, "oh");
        rustix::process::kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).ok();
    }

    #[tokio::test]
    async fn one_that_prints_without_end_is_ended_at_once() {
        let start = Instant::now();
        assert!(matches!(heard("cat /dev/zero").await, Err(Broken::TooLong)));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
