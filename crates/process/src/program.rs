//! A program, and what it gets.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::Broken;
use crate::Heard;
use crate::Limits;
use crate::Running;
use crate::Stream;
use crate::environment::OWN;
use crate::environment::is_own;
use crate::process_group::Group;

/// A program that is to be started. It gets Doppio's environment without [`OWN`], and no shell is
/// asked but by [`Program::shell`].
pub struct Program {
    command: Command,
    has_stdout: bool,
    has_stderr: bool,
}

/// Where the output of a program in the foreground goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// Into pipes.
    Piped,
    /// Where Doppio's own goes.
    Inherited,
}

impl Program {
    /// By its name, looked for on the `PATH`, or by its path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        for name in OWN {
            command.env_remove(name);
        }
        Self { command, has_stdout: true, has_stderr: true }
    }

    /// A text for `sh -c`.
    pub fn shell(text: impl AsRef<OsStr>) -> Self {
        Self::new("sh").args(["-c".as_ref(), text.as_ref()])
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Where it runs; where Doppio does otherwise.
    #[must_use]
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// One more variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without this variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// This environment instead of Doppio's, without [`OWN`] all the same.
    #[must_use]
    pub fn env_only<'a>(mut self, variables: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>) -> Self {
        self.command.env_clear().envs(variables.into_iter().filter(|(name, _)| !is_own(name)));
        self
    }

    /// What it prints is dropped. One that leaves something behind holds no pipe open then.
    #[must_use]
    pub fn without_stdout(mut self) -> Self {
        self.has_stdout = false;
        self
    }

    /// What it complains of is dropped.
    #[must_use]
    pub fn without_stderr(mut self) -> Self {
        self.has_stderr = false;
        self
    }

    /// Feeds it and hears it to its end. When this is dropped before, it dies with all that it has
    /// started; what it leaves behind when it ends by itself, as an agent that keeps a key open,
    /// lives on.
    ///
    /// # Errors
    ///
    /// When it can't be started, prints too much or does not end in time.
    pub async fn hear(self, stdin: Option<&[u8]>, limits: Limits) -> Result<Heard, Broken> {
        let deadline = limits.deadline;
        let running = self.run(stdin.is_some()).map_err(Broken::NotStarted)?;
        tokio::time::timeout(deadline, running.finish(stdin, limits.longest))
            .await
            .unwrap_or(Err(Broken::Late(deadline)))
    }

    /// The same for whoever can't wait: it is heard on a thread of its own, for a caller may be on
    /// a thread of a runtime, and none can wait inside another.
    ///
    /// # Errors
    ///
    /// As those of [`Program::hear`].
    pub fn hear_blocking(self, stdin: Option<&[u8]>, limits: Limits) -> Result<Heard, Broken> {
        std::thread::scope(|scope| {
            let heard = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(Broken::System)?.block_on(self.hear(stdin, limits))
            });
            heard.join().unwrap_or_else(|_| Err(io::Error::other("Doppio failed to hear it").into()))
        })
    }

    /// Starts it with three pipes; it dies with all that it has started when it is dropped.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start(self) -> io::Result<Running> {
        self.run(true)
    }

    /// Starts it with three pipes, to live on when it is dropped. It is to make a session of its own
    /// where there is `setsid`; elsewhere it leads a group.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_apart(mut self) -> io::Result<Running> {
        if cfg!(not(target_os = "linux")) {
            self.command.process_group(0);
        }
        self.pipe(true);
        Ok(Running::new(tokio::process::Command::from(self.command).spawn()?, None))
    }

    /// Starts it with three pipes, in a process group of its own at a terminal too: no key there ends
    /// it, and it can ask nothing there. It dies with all that it has started when it is dropped.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_away(mut self) -> io::Result<Running> {
        self.command.process_group(0);
        self.pipe(true);
        let mut command = tokio::process::Command::from(self.command);
        Ok(Running::new(command.kill_on_drop(true).spawn()?, Some(Group::Own)))
    }

    /// Starts it in the foreground, in Doppio's own process group, so that the shell's job control
    /// holds for both. Whoever starts it waits for it.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_beside(mut self, stdin: Stdio, outputs: Outputs) -> io::Result<Child> {
        if outputs == Outputs::Piped {
            self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        self.command.stdin(stdin).spawn()
    }

    /// Puts it in Doppio's place, with its process number, its terminal and its streams: nothing is left
    /// of Doppio. Returns only why it could not be started.
    pub fn take_over(mut self) -> io::Error {
        self.command.exec()
    }

    /// Starts it with a text on its stdin and leaves it behind, in a process group of its own, so
    /// that no key of the terminal ends it. What it prints is dropped.
    ///
    /// # Errors
    ///
    /// When it can't be started, or does not take the text.
    pub fn leave(mut self, stdin: &[u8]) -> io::Result<()> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = self.command.spawn()?;
        let mut pipe = child.stdin.take().ok_or_else(|| io::Error::other("it has no stdin"))?;
        pipe.write_all(stdin)
    }

    /// Starts it for a thread that reads what it prints while it is fed. It dies with all that it
    /// has started when that is dropped. What it complains of is dropped.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn stream(mut self, stdin: Vec<u8>) -> io::Result<Stream> {
        let group = Group::choose(&mut self.command);
        self.has_stderr = false;
        self.pipe(true);
        Stream::new(self.command.spawn()?, group, stdin)
    }

    fn run(mut self, has_stdin: bool) -> io::Result<Running> {
        let group = Group::choose(&mut self.command);
        self.pipe(has_stdin);
        let mut command = tokio::process::Command::from(self.command);
        Ok(Running::new(command.kill_on_drop(true).spawn()?, Some(group)))
    }

    fn pipe(&mut self, has_stdin: bool) {
        let pipe = |is_wanted| if is_wanted { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(pipe(has_stdin)).stdout(pipe(self.has_stdout)).stderr(pipe(self.has_stderr));
    }
}

/// Its name only: its arguments and its environment may be anybody's.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.command.get_program()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use super::*;

    const LIMITS: Limits = Limits { longest: 1 << 20, deadline: Duration::from_secs(20) };

    #[test]
    fn nobody_gets_what_opens_the_vault() {
        let inherited = Program::new("env");
        let removed: Vec<_> = inherited.command.get_envs().collect();
        for name in OWN {
            assert!(removed.contains(&(OsStr::new(name), None)), "{name}");
        }
        let given = [("PATH", "/usr/bin:/bin"), ("DOPPIO_HOME", "/d"), ("DOPPIO_PASSPHRASE", "made up")];
        let given = given.map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        let program = Program::new("env").env_only(given).env("DOPPIO_PASSPHRASE_FD", "3");
        let heard = program.hear_blocking(None, LIMITS).unwrap();
        let printed = String::from_utf8(heard.stdout.to_vec()).unwrap();
        assert!(printed.contains("DOPPIO_HOME=/d\n") && printed.contains("DOPPIO_PASSPHRASE_FD=3\n"));
        assert!(!printed.contains("made up"), "{printed}");
    }

    #[test]
    fn its_debug_shows_no_argument() {
        let program = Program::new("x").arg("made-up-token").env("A", "made-up-token");
        assert_eq!(format!("{program:?}"), "Program(\"x\")");
    }

    #[tokio::test]
    async fn what_it_prints_is_taken_and_its_end_told() {
        let heard = Program::shell("cat; echo oh >&2; exit 3").hear(Some(b"in"), LIMITS).await.unwrap();
        assert_eq!((heard.status.code(), heard.stdout.as_slice()), (Some(3), &b"in"[..]));
        assert_eq!(heard.stderr, b"oh\n");
        let quiet = Program::shell("echo a; echo b >&2").without_stdout().without_stderr();
        let heard = quiet.hear_blocking(None, LIMITS).unwrap();
        assert!(heard.status.success() && heard.stdout.is_empty() && heard.stderr.is_empty());
    }

    #[tokio::test]
    async fn why_it_was_not_heard_is_told_apart() {
        let fault = Program::new("no-such-program").hear(None, LIMITS).await;
        assert!(matches!(fault, Err(Broken::NotStarted(error)) if error.kind() == io::ErrorKind::NotFound));
        let short = Limits { deadline: Duration::from_millis(50), ..LIMITS };
        // One that prints nothing more has to end all the same.
        let fault = Program::shell("exec >&-; sleep 600 | cat").hear(None, short).await;
        assert!(matches!(fault, Err(Broken::Late(_))));
        let fault = Program::new("cat").arg("/dev/zero").hear(None, LIMITS).await;
        assert!(matches!(fault, Err(Broken::TooLong)));
    }

    #[test]
    fn one_in_the_foreground_and_one_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("said");
        let script = OsString::from("cat >said.new; mv said.new said");
        Program::shell(script).dir(folder.path()).leave(b"made up").unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while !file.exists() {
            assert!(std::time::Instant::now() < until, "it did not write in time");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(std::fs::read(file).unwrap(), b"made up");
        let child = Program::shell("echo a").start_beside(Stdio::null(), Outputs::Piped).unwrap();
        assert_eq!(child.wait_with_output().unwrap().stdout, b"a\n");
    }
}
