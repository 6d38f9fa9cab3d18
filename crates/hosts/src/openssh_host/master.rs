//! The `ssh` that logs in and keeps the connection, which others use by its socket.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;
use tokio::time::timeout;

use doppio_process::Limits;
use doppio_process::Program;
use doppio_process::Running;

use crate::HostSpec;
use crate::Prompt;
use crate::bootstrap;
use crate::openssh_host::refusal;
use crate::openssh_host::refusal::Refused;

/// How often it is looked whether the login is done.
const LOOK: Duration = Duration::from_millis(10);

/// After this time a user may be waited for, who is to touch a key.
const TOUCH: Duration = Duration::from_secs(3);

/// How long a polite end may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Starts `ssh` and ends it when Doppio has gone without having done so: then its standard input
/// ends without a line. `$1` is the folder, `$2` the log.
const GUARD: &str = "exec 3<&0 </dev/null\n\
    { read -r _ || { kill \"$$\"; rm -rf \"$1\"; }; } <&3 3<&- >/dev/null 2>&1 &\n\
    _log=$2; shift 2\n\
    exec \"$@\" 3<&- >/dev/null 2>>\"$_log\"";

/// A connection that is logged in.
pub(super) struct Master {
    socket: PathBuf,
    log: PathBuf,
    ended: watch::Receiver<Option<String>>,
    close: watch::Sender<bool>,
    tending: Mutex<Option<JoinHandle<()>>>,
}

impl Master {
    /// Logs in. `arguments` are those of `ssh`.
    ///
    /// # Errors
    ///
    /// When it can't be started or does not log in, with its last words.
    pub(super) async fn start(
        arguments: Vec<OsString>,
        socket: &Path,
        folder: &Path,
        spec: &HostSpec,
        within: Duration,
        prompt: &dyn Prompt,
    ) -> Result<Self, Refused> {
        let log = socket.with_extension("log");
        fs::remove_file(&log).ok();
        let program =
            quiet(Program::shell(GUARD)).arg("doppio").arg(folder).arg(&log).arg("ssh").args(arguments);
        let started = program.start_away();
        let mut running = started.map_err(|error| Refused::lasting(refusal::not_started(spec, &error)))?;
        let begin = Instant::now();
        let mut is_told = false;
        // The socket gets its name when it can be used.
        while !socket.exists() {
            tokio::select! {
                status = running.wait() => {
                    let said = fs::read_to_string(&log).unwrap_or_default();
                    dismiss(&mut running).await;
                    let is_missing = status.is_ok_and(|status| status.code() == Some(127));
                    let refused = if is_missing { Refused::lasting(refusal::missing(spec)) } else { refusal::explain(spec, &said) };
                    return Err(refused);
                }
                () = sleep_until(begin + within) => {
                    let said = fs::read_to_string(&log).unwrap_or_default();
                    return Err(Refused::lasting(refusal::late(spec, within, &said)));
                }
                () = sleep(LOOK) => {}
            }
            if !is_told && begin.elapsed() >= TOUCH {
                is_told = true;
                prompt.notice(&format!(
                    "`ssh` is logging in to `{}`; touch your security key if it blinks",
                    spec.name
                ));
            }
        }
        let (tell, ended) = watch::channel(None);
        let (close, closing) = watch::channel(false);
        let tending = tokio::spawn(tend(running, tell, closing, socket.to_owned(), log.clone()));
        Ok(Self { socket: socket.to_owned(), log, ended, close, tending: Mutex::new(Some(tending)) })
    }

    /// Why it ended; none while it lives.
    pub(super) fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Its last words, if it had any.
    pub(super) fn said(&self) -> Option<String> {
        let said = refusal::last_words(&fs::read_to_string(&self.log).unwrap_or_default());
        Some(said).filter(|said| !said.is_empty()).or_else(|| self.ended())
    }

    /// An `ssh` that runs the bootstrap over it, and nothing else: it makes no connection of its own.
    pub(super) fn client(&self, log: &Path) -> Program {
        let client =
            quiet(Program::new("ssh")).args(["-F", "none", "-T", "-x", "-a", "-S"]).arg(&self.socket);
        let client =
            client.args(["-o", "ControlMaster=no", "-o", "BatchMode=yes", "-o", "ProxyCommand=exit 1"]);
        client.arg("-E").arg(log).args(["--", "doppio", bootstrap::COMMAND])
    }

    /// Ends it politely, and in any case.
    pub(super) async fn close(&self) {
        self.close.send_replace(true);
        if let Some(tending) = self.tending.lock().await.take() {
            let _ended = tending.await;
        }
    }
}

/// Nobody is asked, not even by a client that `ssh` starts for a jump host.
pub(super) fn quiet(ssh: Program) -> Program {
    ssh.env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force")
}

/// The life of a connection.
async fn tend(
    mut running: Running,
    tell: watch::Sender<Option<String>>,
    mut closing: watch::Receiver<bool>,
    socket: PathBuf,
    log: PathBuf,
) {
    let is_over = tokio::select! {
        _ = running.wait() => true,
        _ = closing.wait_for(|closing| *closing) => false,
    };
    if !is_over {
        let limits = Limits { longest: 1 << 10, deadline: FAREWELL };
        let exit = Program::new("ssh").args(["-F", "none", "-O", "exit", "-S"]).arg(&socket);
        let _late = exit.args(["--", "doppio"]).hear(None, limits).await;
        let _late = timeout(FAREWELL, running.wait()).await;
    }
    dismiss(&mut running).await;
    let said = refusal::last_words(&fs::read_to_string(&log).unwrap_or_default());
    tell.send_replace(Some(if said.is_empty() { "the connection's `ssh` ended".to_owned() } else { said }));
}

/// Tells the guard that nothing is left for it to do.
async fn dismiss(running: &mut Running) {
    if let Some(mut stdin) = running.stdin.take() {
        let _gone = stdin.write_all(b"\n").await;
    }
}
