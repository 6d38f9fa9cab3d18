//! Whether a machine can be used: a row of phases, each with its own deadline and its last evidence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use doppio_hosts::Exec;
use doppio_hosts::Hardware;
use doppio_hosts::Host;
use doppio_hosts::HostError;
use doppio_hosts::Interpreter;
use doppio_hosts::Output;
use doppio_hosts::Stage;
use doppio_hosts::fresh_name;
use doppio_rented::Machine;
use doppio_rented::MachineId;
use doppio_rented::MachineState;
use doppio_rented::VendorName;
use doppio_text::name::HostId;
use doppio_text::shell::typed;

use crate::rentals::told;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::machine::existing::Existing;
use crate::step::machine::existing::host_of;

/// Between two looks at a machine that is not ready.
const PAUSE: Duration = Duration::from_secs(2);

/// The first looks come faster: a machine that was ready already is known at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How often in a row a machine may be missing from a vendor's list before it is gone.
const MISSES: u32 = 3;

/// How long a machine that runs may take until its SSH server lets us in.
const LOGIN: Duration = Duration::from_mins(5);

/// What a machine showed when it was ready.
pub(super) struct Seen {
    hardware: Arc<Hardware>,
}

impl Seen {
    /// The outputs of the step.
    pub(super) fn outputs(&self, id: &MachineId, per_hour: Option<f64>) -> HashMap<String, Value> {
        let gpus = &self.hardware.gpus;
        let all = [
            ("host", Some(id.to_string())),
            ("id", Some(id.id.clone())),
            ("price", per_hour.map(|price| format!("{price:.4}"))),
            ("gpus", Some(gpus.len().to_string())),
            ("gpu", gpus.first().map(|gpu| gpu.name.clone())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::Plain(value?)))).collect()
    }
}

/// Where a machine stands on its way, and what shows it.
struct Progress {
    id: MachineId,
    began: Instant,
    phase: String,
    evidence: Vec<String>,
}

impl Progress {
    async fn tell(&mut self, cx: &StepContext, phase: &str, evidence: impl IntoIterator<Item = String>) {
        let evidence: Vec<String> = evidence.into_iter().filter(|words| !words.is_empty()).collect();
        let first = |evidence: &[String]| evidence.first().cloned();
        if phase != self.phase || first(&evidence) != first(&self.evidence) {
            let seen = first(&evidence).map_or_else(String::new, |words| format!(" ({words})"));
            cx.progress(&format!("`{}`: {phase}{seen}", self.id)).await;
        }
        (self.phase, self.evidence) = (phase.to_owned(), evidence);
    }

    /// Why it is given up, with what was seen last.
    fn over(self) -> StepError {
        let secs = self.began.elapsed().as_secs();
        let error = HostError::new(format!("`{}` is not ready after {secs} s: {}", self.id, self.phase));
        let mut seen = self.evidence.into_iter();
        let first = seen.next().map(|words| format!("last seen: {words}"));
        StepError::Host(first.into_iter().chain(seen).fold(error, HostError::cause))
    }
}

/// The command that shows more of a machine.
fn look(machine: &MachineId) -> String {
    let id = machine.to_string();
    let name = machine.vendor.as_str();
    if machine.vendor == VendorName::Vast {
        let logs = typed(["doppio", name, "logs", &id]);
        return format!("see what it printed: {logs}; a larger image takes longer: `ready_timeout_secs`");
    }
    let show = typed(["doppio", name, "show", &id]);
    format!("see how it stands: {show}; some take longer: `ready_timeout_secs`")
}

/// The error of a machine that stays as it is.
pub(super) fn kept(id: &MachineId, error: StepError) -> StepError {
    hinted(error, look(id))
}

/// What to do where the error itself doesn't say.
pub(super) fn hinted(error: StepError, hint: String) -> StepError {
    match error {
        StepError::Host(error) if error.hint.is_none() => StepError::Host(error.hint(hint)),
        error => error,
    }
}

/// Waits until a machine runs, lets us in, runs a command and shows its GPUs, which must be what `[target]`
/// asks for. What takes longer than `limit`, whatever it is, ends with what was seen last.
pub(super) async fn wait(
    cx: &mut StepContext,
    machine: &Existing,
    limit: Duration,
) -> Result<Seen, StepError> {
    let mut progress = Progress {
        id: machine.id.clone(),
        began: Instant::now(),
        phase: String::new(),
        evidence: Vec::new(),
    };
    let done = tokio::time::timeout(limit, Box::pin(phases(cx, machine, &mut progress))).await;
    done.unwrap_or_else(|_| Err(progress.over()))
}

async fn phases(
    cx: &mut StepContext,
    machine: &Existing,
    progress: &mut Progress,
) -> Result<Seen, StepError> {
    let hired_as = running(cx, machine, progress).await?;
    let host_id = host_of(&machine.id)?;
    let host = let_in(cx, machine, &host_id, progress).await?;
    answers(cx, &host, progress).await?;
    progress.tell(cx, "looking at its GPUs", None).await;
    let hardware = Box::pin(cx.unless_stopped(cx.pool.hardware(&host_id))).await??;
    let unmet = cx.values.asked.unmet(&hardware, hired_as.as_deref());
    if unmet.is_empty() {
        return Ok(Seen { hardware });
    }
    let error = HostError::new(format!("`{}` does not have what `[target]` asks for", machine.id));
    let error = unmet.into_iter().fold(error, HostError::cause);
    Err(StepError::Host(error.hint("hire another machine, or change `[target]` in the recipe")))
}

/// Asked → allocated → image → running, by the vendor's word. Gives what that calls its GPUs.
async fn running(
    cx: &mut StepContext,
    machine: &Existing,
    progress: &mut Progress,
) -> Result<Option<String>, StepError> {
    let mut missed = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        let (phase, evidence) = match cx.unless_stopped(machine.vendor.show(&machine.id)).await? {
            Ok(found) => {
                missed = 0;
                doomed(&found)?;
                let said = found.message.clone().unwrap_or_default();
                match found.state {
                    MachineState::Running | MachineState::Unknown(_) if !found.endpoints.is_empty() => {
                        cx.rentals.note(&found);
                        return Ok(found.gpu);
                    }
                    MachineState::Running => ("it runs, and has no SSH endpoint yet".to_owned(), said),
                    ref state => (format!("it is {}", state.as_str()), said),
                }
            }
            // Right after it was made, or once in a while, a list lacks it.
            Err(doppio_rented::RentedError::NoMachine(_)) if missed < MISSES => {
                missed += 1;
                ("the vendor's list lacks it".to_owned(), String::new())
            }
            Err(error) if error.may_pass() => ("the vendor does not answer".to_owned(), error.to_string()),
            Err(error) => return Err(told(&error).into()),
        };
        progress.tell(cx, &phase, [evidence]).await;
        cx.sleep(pause).await?;
        pause = (pause * 2).min(PAUSE);
    }
}

/// States that never become running end the wait at once.
fn doomed(found: &Machine) -> Result<(), StepError> {
    let said = found.message.as_deref().unwrap_or_default();
    let is_stillborn =
        said.contains("OCI runtime create failed") || said.contains("Error response from daemon");
    let is_halted = matches!(found.state, MachineState::Stopped | MachineState::Exited)
        && found.intended.as_ref().is_none_or(|intended| *intended != MachineState::Running);
    let what = match found.state {
        MachineState::Gone => "does not exist any more",
        MachineState::Creating | MachineState::Loading if is_stillborn => "can't start its container",
        MachineState::Stopped | MachineState::Exited if is_halted => {
            "was stopped, and will not start by itself"
        }
        _ => return Ok(()),
    };
    let error = HostError::new(format!("`{}` {what}", found.id));
    let error = if said.is_empty() { error } else { error.cause(format!("its vendor says: {said}")) };
    let search = typed(["doppio", found.id.vendor.as_str(), "search"]);
    Err(StepError::Host(
        error.hint(format!("hire another machine: {search}; the image, or its `onstart`, may be at fault")),
    ))
}

/// TCP → banner → login.
async fn let_in(
    cx: &mut StepContext,
    machine: &Existing,
    host_id: &HostId,
    progress: &mut Progress,
) -> Result<Host, StepError> {
    let since = Instant::now();
    let mut pause = FIRST_PAUSE;
    progress.tell(cx, "it runs, and nobody was let in yet", None).await;
    loop {
        let error = match Box::pin(cx.unless_stopped(cx.pool.host(host_id))).await? {
            Ok(host) => return Ok(host),
            Err(error) => error,
        };
        let phase = match error.stage {
            Some(Stage::Tcp) => "it runs, and its SSH port does not answer yet",
            Some(Stage::Banner) => "its SSH port answers, and its SSH server does not yet",
            Some(Stage::KeyExchange) => "its SSH server does not talk yet",
            Some(Stage::Login) => "its SSH server does not let us in yet",
            // A key that is not the machine's does not become so.
            Some(Stage::HostKey) => return Err(error.into()),
            // It may have stopped meanwhile.
            None => {
                running(cx, machine, progress).await?;
                "the vendor can't say where it is"
            }
        };
        progress.tell(cx, phase, std::iter::once(error.message.clone()).chain(error.causes.clone())).await;
        if since.elapsed() > LOGIN {
            return Err(error.into());
        }
        cx.sleep(pause).await?;
        pause = (pause * 2).min(PAUSE);
    }
}

/// A nonce comes back as it was sent: no login file starts tmux in its place, or prints beside it.
async fn answers(cx: &mut StepContext, host: &Host, progress: &mut Progress) -> Result<(), StepError> {
    progress.tell(cx, "running a command", None).await;
    let nonce = fresh_name().map_err(|error| StepError::failed(error.to_string()))?;
    let interpreter = Interpreter { shell: "sh".to_owned(), login: false };
    // vast.ai's images start tmux at each login where this file is not.
    let text = format!("echo {nonce}\n: >>\"$HOME/.no_auto_tmux\" || true\n");
    let run = async {
        let mut process = host.exec(Exec { interpreter, ..Exec::new(text) }).await?;
        let mut said = Vec::new();
        while let Some(output) = process.next().await {
            if let Output::Stdout(bytes) = output {
                said.extend(bytes);
            }
        }
        Ok::<_, HostError>(String::from_utf8_lossy(&said).into_owned())
    };
    let limit = Duration::from_mins(1);
    let said = match cx.unless_stopped(tokio::time::timeout(limit, run)).await? {
        Ok(said) => said?,
        Err(_) => {
            return Err(StepError::Host(
                HostError::new(format!("`{}` runs no command", progress.id))
                    .cause(format!("a first `echo` did not end within {} s", limit.as_secs()))
                    .hint(
                        "a login file of its image may start tmux, or ask something: `touch ~/.no_auto_tmux` in \
                         `onstart`",
                    ),
            ));
        }
    };
    if said.trim() == nonce {
        return Ok(());
    }
    if said.lines().any(|line| line.trim() == nonce) {
        cx.notice(&format!(
            "`{}` prints more than its commands do: a login file of its image is noisy",
            progress.id
        ))
        .await;
        return Ok(());
    }
    Err(StepError::Host(
        HostError::new(format!("`{}` does not run commands as it should", progress.id))
            .cause(format!("`echo` printed: {}", doppio_text::brief(said.trim(), 200))),
    ))
}
