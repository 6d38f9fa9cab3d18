//! The commands that run on the sandbox.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use russh::ChannelId;
use russh::ChannelWriteHalf;
use russh::Sig;
use russh::server;
use russh::server::Msg;
use rustix::process::Pid;
use rustix::process::Signal;
use tokio::io::AsyncRead;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use doppio_process::Chunks;
use doppio_process::Program;
use doppio_process::Running;
use doppio_process::Stdin;

use crate::piped::signal_name;

type Writer = ChannelWriteHalf<Msg>;

/// Where programs are looked for, as a server would have it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

/// The variable that marks what was started here, for finding what has left its group.
const MARK: &str = "DOPPIO_SANDBOX";

/// The folder and the processes of one sandbox.
pub(in crate::ssh) struct Processes {
    home: PathBuf,
    nonce: String,
    /// Those that have not been waited for yet; each leads a group.
    leaders: Mutex<HashSet<u32>>,
}

impl Processes {
    pub(in crate::ssh) fn new(home: PathBuf, nonce: String) -> Self {
        Self { home, nonce, leaders: Mutex::default() }
    }

    fn leaders(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, command: &str) -> io::Result<Running> {
        // The bootstrap makes a session of its own where there is `setsid`.
        let running = Program::shell(command)
            .dir(&self.home)
            .env_only([])
            .env("PATH", PATH)
            .env("HOME", &self.home)
            .env("TMUX_TMPDIR", &self.home)
            .env("USER", "sandbox")
            .env("LOGNAME", "sandbox")
            .env("SHELL", "/bin/sh")
            .env(MARK, &self.nonce)
            .start_apart()?;
        self.leaders().extend(running.id());
        Ok(running)
    }

    /// Kills all that was started here.
    pub(in crate::ssh) fn kill(&self) {
        for &pid in self.leaders().iter() {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|pid| !pid.is_init()) {
                let _gone = rustix::process::kill_process_group(pid, Signal::KILL);
                let _gone = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        for pid in self.marked() {
            let _gone = rustix::process::kill_process(pid, Signal::KILL);
        }
    }

    /// Kills all, and waits a moment for it to be gone.
    pub(in crate::ssh) async fn empty(&self) {
        for _ in 0..40 {
            self.kill();
            if self.leaders().is_empty() && self.marked().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Processes that bear the mark in their environment, which Linux shows.
    fn marked(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}", self.nonce);
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let bears = |pid: &i32| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environ| environ.split(|&byte| byte == 0).any(|var| var == mark.as_bytes()))
        };
        pids.filter(|&pid| pid > 1).filter(bears).filter_map(Pid::from_raw).collect()
    }
}

/// What a client says on a channel.
pub(in crate::ssh) enum Said {
    /// Bytes for the command's standard input.
    Bytes(Vec<u8>),
    /// No more will come.
    End,
}

/// One channel: before its command, and with it.
pub(in crate::ssh) struct SandboxExec {
    writer: Option<Writer>,
    input: Option<mpsc::UnboundedSender<Said>>,
    /// Dropped with the channel.
    over: Option<oneshot::Sender<()>>,
}

impl SandboxExec {
    pub(in crate::ssh) fn new(writer: Writer) -> Self {
        Self { writer: Some(writer), input: None, over: None }
    }

    /// Runs the channel's one command.
    pub(in crate::ssh) fn start(
        &mut self,
        processes: &Arc<Processes>,
        command: &[u8],
        handle: server::Handle,
    ) -> io::Result<()> {
        let writer = self.writer.take().ok_or_else(|| io::Error::other("a command was started before"))?;
        let command = std::str::from_utf8(command).map_err(io::Error::other)?;
        let mut running = processes.spawn(command)?;
        let (input, said) = mpsc::unbounded_channel();
        let (over, is_over) = oneshot::channel();
        if let Some(stdin) = running.stdin.take() {
            tokio::spawn(feed(stdin, said));
        }
        tokio::spawn(serve(Arc::clone(processes), running, writer, handle, is_over));
        self.input = Some(input);
        self.over = Some(over);
        Ok(())
    }

    pub(in crate::ssh) fn hear(&self, said: Said) {
        if let Some(input) = &self.input {
            let _ended = input.send(said);
        }
    }
}

async fn feed(mut stdin: Stdin, mut said: mpsc::UnboundedReceiver<Said>) {
    while let Some(Said::Bytes(bytes)) = said.recv().await {
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Sends what the command prints, as fast as the client takes it, and how it ended.
async fn serve(
    processes: Arc<Processes>,
    mut running: Running,
    writer: Writer,
    handle: server::Handle,
    is_over: oneshot::Receiver<()>,
) {
    let (pid, stdout, stderr) = (running.id(), running.stdout.take(), running.stderr.take());
    let channel = writer.id();
    let ended = async {
        let status = running.wait().await;
        if let Some(pid) = pid {
            processes.leaders().remove(&pid);
        }
        if let Ok(status) = status {
            report(&handle, channel, status).await;
        }
    };
    let printed = async {
        tokio::join!(send(stdout, &writer, None), send(stderr, &writer, Some(1)));
    };
    let talk = async {
        tokio::join!(ended, printed);
        let _gone = writer.eof().await;
        let _gone = writer.close().await;
    };
    let left_early = tokio::select! {
        () = talk => false,
        _ = is_over => true,
    };
    // Its pipes are closed now; like with any server, the command may go on, until the end.
    if left_early
        && let Some(pid) = pid
        && running.wait().await.is_ok()
    {
        processes.leaders().remove(&pid);
    }
}

async fn report(handle: &server::Handle, channel: ChannelId, status: ExitStatus) {
    let _gone = match (status.code(), status.signal()) {
        (Some(code), _) => handle.exit_status_request(channel, code.unsigned_abs()).await,
        (None, signal) => {
            let name = signal_name(signal.unwrap_or_default());
            let name = match name.as_str() {
                "KILL" => Sig::KILL,
                "TERM" => Sig::TERM,
                "INT" => Sig::INT,
                "HUP" => Sig::HUP,
                "PIPE" => Sig::PIPE,
                "ABRT" => Sig::ABRT,
                "SEGV" => Sig::SEGV,
                _ => Sig::Custom(name),
            };
            handle
                .exit_signal_request(channel, name, status.core_dumped(), String::new(), "en".to_owned())
                .await
        }
    };
}

async fn send<R: AsyncRead + Unpin>(pipe: Option<R>, writer: &Writer, kind: Option<u32>) {
    let mut chunks = Chunks::new(pipe);
    while let Some(bytes) = chunks.next().await {
        let sent = match kind {
            None => writer.data_bytes(bytes).await,
            Some(kind) => writer.extended_data_bytes(kind, bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
