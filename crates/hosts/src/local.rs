//! Running scripts on this machine: the same bootstrap and payload as elsewhere, without a
//! network in between. The environment is handed over as that of the process.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::process::ChildStdin;
use tokio::process::ChildStdout;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use doppio_secrets::SecretValue;

use crate::Carrier;
use crate::EnvVar;
use crate::Exec;
use crate::Exit;
use crate::HostError;
use crate::Output;
use crate::Process;
use crate::bootstrap;
use crate::bootstrap::Leader;
use crate::bootstrap::Listener;
use crate::output_pipe;
use crate::output_pipe::PipeWriter;
use crate::payload;
use crate::payload::Load;
use crate::payload::Payload;
use crate::process::Reach;

/// How long `sh` may take to announce itself.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Variables of Doppio's own that no step may inherit.
const OWN: [&str; 3] = ["DOPPIO_PASSPHRASE", "DOPPIO_PASSPHRASE_FD", "DOPPIO_PASSPHRASE_FILE"];

/// What a process takes over from Doppio.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherit {
    /// Where it runs; Doppio's own directory otherwise.
    pub dir: Option<PathBuf>,
}

/// Starts a script on this machine.
///
/// # Errors
///
/// When `sh` can't be started, or a value or the script can't be handed over.
pub(crate) async fn exec(exec: &Exec, inherit: &Inherit) -> Result<Process, HostError> {
    let Load { exports, files } = Load::sort(&exec.env)?;
    let payload = payload::write(exec, &Load { exports: Vec::new(), files: files.clone() })?;
    let mut child = spawn(&exports, inherit)?;
    let stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let (leader, early) = timeout(START_LIMIT, announced(stdout.as_mut()))
        .await
        .unwrap_or_else(|_| Err(failed("it did not announce itself within 30 seconds".to_owned())))?;
    let (writer, reader) = output_pipe::pair();
    let carriers = exports.iter().map(|var| (var.name.clone(), Carrier::LocalEnv));
    let carriers = carriers.chain(files.iter().map(|var| (var.name.clone(), Carrier::File))).collect();
    let folder = payload.folder.clone();
    let feed = stdin.map(|stdin| tokio::spawn(feed(stdin, payload, exec.stdin.clone())));
    tokio::spawn(follow(child, stdout, feed, early, writer));
    Ok(Process { reader, carriers, leader, folder, reach: Reach::Local })
}

fn failed(cause: String) -> HostError {
    HostError { message: "could not start `sh` on this machine".to_owned(), causes: vec![cause], hint: None }
}

fn spawn(exports: &[&EnvVar], inherit: &Inherit) -> Result<Child, HostError> {
    let mut command = Command::new("sh");
    command.args(["-c", bootstrap::TEXT, "sh", bootstrap::TEXT]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(dir) = &inherit.dir {
        command.current_dir(dir);
    }
    for name in OWN {
        command.env_remove(name);
    }
    for var in exports {
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment of the process is what carries the value"
        )]
        var.value.reveal(|bytes| command.env(var.name.as_str(), OsStr::from_bytes(bytes)));
    }
    // The bootstrap makes a session of its own with `setsid`, so that nothing can ask at
    // Doppio's terminal; macOS has no such program.
    if cfg!(not(target_os = "linux")) {
        command.process_group(0);
    }
    command.spawn().map_err(|error| failed(error.to_string()))
}

async fn announced(stdout: Option<&mut ChildStdout>) -> Result<(Leader, Vec<u8>), HostError> {
    let mut listener = Listener::default();
    let mut buffer = [0; 1024];
    if let Some(stdout) = stdout {
        loop {
            let count = stdout.read(&mut buffer).await.map_err(|error| failed(error.to_string()))?;
            if count == 0 {
                break;
            }
            match listener.hear(&buffer[..count]) {
                Ok(Some(announced)) => return Ok(announced),
                Ok(None) => {}
                Err(bootstrap::TooMuchNoise) => break,
            }
        }
    }
    Err(failed(format!("it ended before it could read the script: {}", listener.noise())))
}

/// Writes the payload and what is meant for the script. A script that reads nothing is allowed to, so
/// it is not an error.
async fn feed(mut stdin: ChildStdin, payload: Payload, rest: Option<SecretValue>) {
    if stdin.write_all(&payload.bytes).await.is_err() {
        return;
    }
    if let Some(rest) = rest {
        #[expect(
            clippy::disallowed_methods,
            reason = "the standard input of the process is where the bytes are meant to go"
        )]
        let bytes = rest.reveal(|bytes| zeroize::Zeroizing::new(bytes.to_vec()));
        let _closed = stdin.write_all(&bytes).await;
    }
}

/// Drains the process to its end.
async fn follow(
    mut child: Child,
    stdout: Option<ChildStdout>,
    feed: Option<JoinHandle<()>>,
    early: Vec<u8>,
    writer: PipeWriter,
) {
    if !early.is_empty() {
        writer.send(Output::Stdout(early)).await;
    }
    let (alive, mut moved) = mpsc::channel::<()>(1);
    let out = tokio::spawn(drain(stdout, Output::Stdout, writer.clone(), alive.clone()));
    let err = tokio::spawn(drain(child.stderr.take(), Output::Stderr, writer.clone(), alive));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            Some(()) = moved.recv() => {}
            () = writer.abandoned() => {
                out.abort();
                err.abort();
                break child.wait().await;
            }
        }
    };
    writer.linger(&mut moved).await;
    for task in [out, err] {
        task.abort();
    }
    if let Some(feed) = feed {
        feed.abort();
    }
    writer.end(status.map_or_else(|error| Exit::Lost(error.to_string()), ended));
}

async fn drain<R>(pipe: Option<R>, kind: fn(Vec<u8>) -> Output, writer: PipeWriter, alive: mpsc::Sender<()>)
where
    R: AsyncRead + Unpin,
{
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 32 << 10];
    while let Ok(count) = pipe.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        writer.send(kind(buffer[..count].to_vec())).await;
        let _full = alive.try_send(());
    }
}

fn ended(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal_name(signal)),
        (None, None) => Exit::Lost(status.to_string()),
    }
}

/// The name of a signal without `SIG`; its number where it has none that is known everywhere.
pub(crate) fn signal_name(signal: i32) -> String {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::ILL, "ILL"),
        (Signal::TRAP, "TRAP"),
        (Signal::ABORT, "ABRT"),
        (Signal::BUS, "BUS"),
        (Signal::FPE, "FPE"),
        (Signal::KILL, "KILL"),
        (Signal::USR1, "USR1"),
        (Signal::SEGV, "SEGV"),
        (Signal::USR2, "USR2"),
        (Signal::PIPE, "PIPE"),
        (Signal::ALARM, "ALRM"),
        (Signal::TERM, "TERM"),
        (Signal::XCPU, "XCPU"),
        (Signal::XFSZ, "XFSZ"),
        (Signal::SYS, "SYS"),
    ];
    names
        .into_iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or_else(|| signal.to_string(), |(_, name)| name.to_owned())
}
