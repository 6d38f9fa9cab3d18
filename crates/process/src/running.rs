//! A program that runs: it gets its input, is read to its end, and where the caller stops waiting, it
//! is ended with all that it has started.

use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::process::ChildStderr;
use tokio::process::ChildStdin;
use tokio::process::ChildStdout;
use zeroize::Zeroizing;

use crate::process_group::Group;

/// How much of its error output is kept, in bytes.
const COMPLAINTS: u64 = 16 << 10;

/// How long its pipes are read after its end: what it printed is in them, and one that it left
/// behind may hold them open for ever.
const GRACE: Duration = Duration::from_millis(500);

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    /// Its stdin, until it is taken.
    pub stdin: Option<ChildStdin>,
    /// Its stdout, until it is taken.
    pub stdout: Option<ChildStdout>,
    /// Its stderr, until it is taken.
    pub stderr: Option<ChildStderr>,
    child: Child,
    /// The group of one that dies with this.
    dies_in: Option<Group>,
}

/// How much is heard of a program, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What it may print, in bytes.
    pub longest: usize,
    /// When it is ended.
    pub deadline: Duration,
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
    /// It could not be started.
    #[error("{0}")]
    NotStarted(io::Error),
    /// It did not end in time.
    #[error("it did not end within {} seconds", .0.as_secs())]
    Late(Duration),
    /// It printed more than the caller can use.
    #[error("it printed too much")]
    TooLong,
    /// A pipe or the wait for its end failed.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Running {
    pub(crate) fn new(mut child: Child, dies_in: Option<Group>) -> Self {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Self { stdin, stdout, stderr, child, dies_in }
    }

    /// Its number; none when it has been waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end, whatever its pipes are at. May be dropped and called again.
    ///
    /// # Errors
    ///
    /// When the system lost it.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Writes its input and reads it to its end; `longest` is in bytes.
    pub(crate) async fn finish(mut self, stdin: Option<&[u8]>, longest: usize) -> Result<Heard, Broken> {
        let (into, out, complaints) = (self.stdin.take(), self.stdout.take(), self.stderr.take());
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
        if let (Some(group), Some(id)) = (self.dies_in, self.child.id()) {
            group.end(id);
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::process::Stdio;
    use std::time::Instant;

    use rustix::process::Pid;
    use rustix::process::Signal;

    use crate::Program;

    use super::*;

    const LIMITS: Limits = Limits { longest: 1 << 20, deadline: Duration::from_mins(1) };

    async fn heard(script: &str) -> Result<Heard, Broken> {
        Program::shell(script).hear(None, LIMITS).await
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
        for group in [Group::Own, Group::Shared] {
            let file = folder.path().join(format!("number-{group:?}"));
            let mut command = Command::new("sh");
            command.args(["-c", &pipeline(&file)]).stdin(Stdio::null());
            if group == Group::Own {
                std::os::unix::process::CommandExt::process_group(&mut command, 0);
            }
            let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
            let mut call = Box::pin(Running::new(child, Some(group)).finish(None, 10));
            let grandchild = tokio::select! {
                _ = &mut call => panic!("it ended by itself"),
                pid = number(&file) => pid,
            };
            assert!(!is_gone(grandchild));
            drop(call);
            until(|| is_gone(grandchild)).await;
        }
    }

    /// `timeout` is the leader of a group of its own.
    #[tokio::test]
    async fn one_that_is_left_behind_holds_nobody_up() {
        let start = Instant::now();
        let heard = heard("printf hunter2; echo oh >&2; timeout 600 sleep 600 & echo $! >&2").await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(heard.stdout.as_slice(), b"hunter2");
        let words = String::from_utf8(heard.stderr).unwrap();
        let (oh, pid) = words.trim().split_once('\n').unwrap();
        assert_eq!(oh, "oh");
        rustix::process::kill_process_group(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).ok();
    }

    #[tokio::test]
    async fn one_that_prints_without_end_is_ended_at_once() {
        let start = Instant::now();
        assert!(matches!(heard("cat /dev/zero").await, Err(Broken::TooLong)));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
