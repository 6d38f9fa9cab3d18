//! Running scripts on this machine: the same bootstrap and payload as elsewhere, without a
//! network in between. The environment is handed over as that of the process.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use doppio_process::Chunks;
use doppio_process::Program;
use doppio_process::Running;
use doppio_process::Stdout;
use doppio_secrets::Carrier;

use crate::EnvVar;
use crate::Exec;
use crate::Exit;
use crate::HostError;
use crate::Output;
use crate::Process;
use crate::ProcessGroup;
use crate::bootstrap;
use crate::bootstrap::Challenge;
use crate::bootstrap::Leader;
use crate::bootstrap::Listener;
use crate::launch_gate::LaunchGate;
use crate::launch_gate::Wants;
use crate::output_pipe;
use crate::output_pipe::PipeWriter;
use crate::payload;
use crate::payload::EnvSplit;
use crate::process::Reach;
use crate::process::Way;

/// How long `sh` may take to announce itself.
const START_LIMIT: Duration = Duration::from_secs(30);

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
    let EnvSplit { exports, files } = EnvSplit::sort(&exec.env)?;
    let payload = payload::write(exec, &EnvSplit { exports: Vec::new(), files: files.clone() })?;
    let mut running = start(&exports, inherit)?;
    let challenge = Challenge::new().map_err(|error| failed(error.to_string()))?;
    let mut stdin = running.stdin.take();
    if let Some(stdin) = &mut stdin {
        // One that is gone already says why below.
        let _closed = stdin.write_all(challenge.line().as_bytes()).await;
    }
    let mut stdout = running.stdout.take();
    let (leader, early) = timeout(START_LIMIT, announced(stdout.as_mut(), &challenge))
        .await
        .unwrap_or_else(|_| Err(failed("it did not announce itself within 30 seconds".to_owned())))?;
    let gate = LaunchGate::new(challenge.launch_mark(), Wants::of(exec, "on this machine".to_owned()));
    let (writer, reader) = output_pipe::pair(gate);
    let deliveries = exports.iter().flat_map(|var| var.sent_by(Carrier::LocalEnv));
    let deliveries = deliveries.chain(files.iter().flat_map(|var| var.sent_by(Carrier::File)));
    let deliveries = deliveries.chain(exec.stdin.iter().flat_map(|stdin| stdin.deliveries.clone())).collect();
    let folder = payload.folder.clone();
    let rest = exec.stdin.clone();
    let feed = stdin.map(|mut stdin| {
        tokio::spawn(async move {
            let _closed = payload.feed(&mut stdin, rest).await;
        })
    });
    tokio::spawn(follow(running, stdout, feed, early, writer));
    let group = ProcessGroup { leader, folder, reach: Arc::new(ThisMachine) };
    Ok(Process { reader, deliveries, group })
}

/// Where local processes run.
#[derive(Debug)]
struct ThisMachine;

impl Reach for ThisMachine {
    fn exec<'a>(&'a self, script: &'a Exec, _: Way) -> BoxFuture<'a, Result<Process, HostError>> {
        async move { exec(script, &Inherit::default()).await }.boxed()
    }

    fn is_at_hand(&self) -> bool {
        true
    }

    fn typed(&self, command: &str) -> String {
        command.to_owned()
    }
}

fn failed(cause: String) -> HostError {
    HostError::new("could not start `sh` on this machine").cause(cause)
}

fn start(exports: &[&EnvVar], inherit: &Inherit) -> Result<Running, HostError> {
    let mut program = Program::shell(bootstrap::TEXT).args(["sh", bootstrap::TEXT, "", ""]);
    if let Some(dir) = &inherit.dir {
        program = program.dir(dir);
    }
    for var in exports {
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment of the process is what carries the value"
        )]
        let given = var.value.reveal(|bytes| program.env(var.name.as_str(), OsStr::from_bytes(bytes)));
        program = given;
    }
    // The bootstrap makes a session of its own with `setsid`, so that nothing can ask at
    // Doppio's terminal; macOS has no such program.
    program.start_apart().map_err(|error| failed(error.to_string()))
}

async fn announced(
    stdout: Option<&mut Stdout>,
    challenge: &Challenge,
) -> Result<(Leader, Vec<u8>), HostError> {
    let mut listener = Listener::new(challenge.clone());
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
                Err(trouble) => return Err(failed(trouble.what().to_owned())),
            }
        }
    }
    Err(failed(format!("it ended before it could read the script: {}", listener.noise())))
}

/// Drains the process to its end.
async fn follow(
    mut running: Running,
    stdout: Option<Stdout>,
    feed: Option<JoinHandle<()>>,
    early: Vec<u8>,
    writer: PipeWriter,
) {
    if !early.is_empty() {
        writer.send(Output::Stdout(early)).await;
    }
    let (alive, mut moved) = mpsc::channel::<()>(1);
    let out = tokio::spawn(drain(stdout, Output::Stdout, writer.clone(), alive.clone()));
    let err = tokio::spawn(drain(running.stderr.take(), Output::Stderr, writer.clone(), alive));
    let status = loop {
        tokio::select! {
            status = running.wait() => break status,
            Some(()) = moved.recv() => {}
            () = writer.abandoned() => {
                out.abort();
                err.abort();
                break running.wait().await;
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
    let mut chunks = Chunks::new(pipe);
    while let Some(bytes) = chunks.next().await {
        writer.send(kind(bytes)).await;
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
