//! Running scripts on this machine: the same bootstrap and payload as elsewhere, without a
//! network in between. The environment is handed over as that of the process.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use doppio_process::Program;
use doppio_process::Running;
use doppio_secrets::Carrier;

use crate::EnvVar;
use crate::Exec;
use crate::HostError;
use crate::Process;
use crate::bootstrap;
use crate::payload;
use crate::payload::EnvSplit;
use crate::piped::Ends;
use crate::piped::Launch;
use crate::piped::Piped;
use crate::piped::Unannounced;
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
    let running = start(&exports, inherit)?;
    let piped = Piped::announced(running, START_LIMIT).await.map_err(|why| match why {
        Unannounced::System(error) => failed(error),
        Unannounced::Ended(_, said) => {
            failed(format!("it ended before it could read the script: {}", said.join(": ")))
        }
        Unannounced::Trouble(trouble, _) => failed(trouble.what().to_owned()),
        Unannounced::Late(_) => failed("it did not announce itself within 30 seconds".to_owned()),
    })?;
    let deliveries = exports.iter().flat_map(|var| var.sent_by(Carrier::LocalEnv));
    let deliveries = deliveries.chain(files.iter().flat_map(|var| var.sent_by(Carrier::File)));
    let deliveries = deliveries.chain(exec.stdin.iter().flat_map(|stdin| stdin.deliveries.clone())).collect();
    let at = "on this machine".to_owned();
    let reach = Arc::new(ThisMachine);
    Ok(piped.launch(Launch { exec, payload, deliveries, at, reach, ends: Ends::AsTheProgram }))
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
