//! An event: one thing that happened in a run.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use doppio_secrets::Delivery;
use doppio_secrets::Masked;
use doppio_text::name::RunId;
use doppio_text::name::StepId;

use crate::event::step_status::StepStatus;

/// The form of an [`Event`] on disk and on stdout; raised when a reader must know.
pub const SCHEMA: u32 = 1;

/// One event: when, and what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The form of this line, [`SCHEMA`].
    pub schema: u32,
    /// Counted from 0 within the run.
    pub seq: u64,
    /// When it happened.
    pub time: jiff::Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The run begins; all its steps, in the order in which they are shown.
    RunStarted {
        /// The run.
        run: RunId,
        /// The recipe's name.
        recipe: Masked,
        /// The steps.
        steps: Vec<StepOutline>,
    },
    /// A step waits for what it depends on no longer, and runs as soon as there is a slot.
    StepWaiting {
        /// The step.
        step: StepId,
    },
    /// An attempt begins. Durable before its host is touched.
    StepStarted {
        /// The step.
        step: StepId,
        /// Counted from 1.
        attempt: u32,
        /// The host it runs on, if it runs on one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Masked>,
    },
    /// A process of an attempt runs on its host.
    StepLaunched {
        /// The step.
        step: StepId,
        /// The process.
        process: StepProcess,
    },
    /// Output of a running step: whole lines, or the start of one that is still open.
    StepOutput {
        /// The step.
        step: StepId,
        /// Where it came from.
        stream: Stream,
        /// The text, masked, with its newlines.
        text: Masked,
    },
    /// A step says how far it is, in a few words.
    StepProgress {
        /// The step.
        step: StepId,
        /// The words.
        message: Masked,
    },
    /// A step hired a machine, or started one: it costs money from now on.
    MachineRented {
        /// The step.
        step: StepId,
        /// The machine, as in `vast-12345`.
        machine: Masked,
        /// What an hour costs, in US dollars, if that is known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        per_hour: Option<f64>,
    },
    /// A step stopped a machine, or destroyed it.
    MachineReturned {
        /// The step.
        step: StepId,
        /// The machine.
        machine: Masked,
        /// What an hour costs from now on, in US dollars: the disk of a machine that is only stopped.
        per_hour: f64,
    },
    /// How each secret of an attempt travelled.
    SecretsDelivered {
        /// The step.
        step: StepId,
        /// One entry per secret in an environment variable or in an input.
        deliveries: Vec<Delivery>,
    },
    /// An attempt failed and another will follow.
    StepRetrying {
        /// The step.
        step: StepId,
        /// The attempt that failed, counted from 1.
        attempt: u32,
        /// How it ended.
        end: End,
        /// The time until the next.
        #[serde(with = "millis")]
        delay: Duration,
    },
    /// A step is over. Durable before a dependent starts.
    StepFinished {
        /// The step.
        step: StepId,
        /// `success`, `failed`, `cancelled` or `lost`.
        status: StepStatus,
        /// How its last attempt ended.
        end: End,
        /// From the first attempt's start.
        #[serde(with = "millis")]
        duration: Duration,
        /// Whether its failure is not a failure of the run: `continue_on_failure`, its own or that
        /// of a step it belongs to.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        forgiven: bool,
        /// How often each secret was masked in its output, by name.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        masked: Vec<(Masked, u64)>,
    },
    /// A step will not run, and why.
    StepSkipped {
        /// The step.
        step: StepId,
        /// The reason, as in "`when` is false" or "step `a` failed".
        reason: Masked,
        /// Whether what it depends on is the reason, and not its own wish.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        blocked: bool,
    },
    /// A cancel was asked for; running steps are being stopped.
    RunCancelling {
        /// Whether nothing is waited for: running steps are left as they are, and no `always`
        /// step runs any more.
        #[serde(default)]
        forced: bool,
        /// Why: "interrupted", "terminated".
        reason: Masked,
    },
    /// Something the user should see that belongs to no step's output.
    Notice {
        /// The step, if it is about one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        step: Option<StepId>,
        /// The text.
        text: Masked,
    },
    /// The run is over.
    RunFinished {
        /// How.
        status: RunStatus,
        /// From [`What::RunStarted`].
        #[serde(with = "millis")]
        duration: Duration,
    },
    /// Something that a newer Doppio wrote.
    #[serde(other)]
    Unknown,
}

/// A step as the first event of a run lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutline {
    /// The id.
    pub id: StepId,
    /// What is shown instead of the id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<Masked>,
    /// The step type, as in `ssh_command`.
    pub kind: String,
    /// How often it is tried at most.
    #[serde(skip_serializing_if = "is_one", default = "one")]
    pub attempts: u32,
    /// What it depends on.
    pub needs: Vec<StepId>,
    /// The steps that it stands for, if it runs nothing itself.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<StepId>,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_one(attempts: &u32) -> bool {
    *attempts == 1
}

/// A process of a step, and what a person types to look after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProcess {
    /// Its number on its host; it leads the group of all that it started.
    pub pid: u32,
    /// The command, for this machine, that lists what of the group runs.
    pub look: Masked,
    /// The command that ends the group.
    pub end: Masked,
}

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "lowercase")]
pub enum End {
    /// It ran to its end.
    Exit {
        /// The exit code.
        code: i32,
    },
    /// A signal ended it.
    Signal {
        /// The signal's name without `SIG`, as in `KILL`.
        name: String,
    },
    /// It ran into its deadline and was stopped.
    Timeout,
    /// It was stopped because the run was cancelled.
    Cancelled,
    /// How it ended, or will end, is not known: the connection broke, or it could not be stopped.
    Lost {
        /// What is known.
        cause: Masked,
        /// Whether nothing of it runs any more.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        gone: bool,
    },
    /// Doppio could not do it: no login, no value, a false condition.
    Error {
        /// The message.
        message: Masked,
        /// The causes below it.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        causes: Vec<Masked>,
        /// What to do.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        hint: Option<Masked>,
        /// Whether the world is in the way (exit 3) rather than the step at fault (exit 1).
        world: bool,
        /// Whether Doppio itself went wrong (exit 70).
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        bug: bool,
    },
}

impl End {
    /// The status of a step whose last attempt ended like this.
    pub fn status(&self) -> StepStatus {
        match self {
            Self::Exit { code: 0 } => StepStatus::Success,
            Self::Cancelled => StepStatus::Cancelled,
            Self::Lost { .. } => StepStatus::Lost,
            _ => StepStatus::Failed,
        }
    }

    /// Whether the step did what it was to do.
    pub fn is_success(&self) -> bool {
        self.status() == StepStatus::Success
    }

    /// The causes below its message, and what to do about it, where Doppio could not do it.
    pub fn details(&self) -> (Vec<&str>, Option<&str>) {
        match self {
            Self::Error { causes, hint, .. } => {
                (causes.iter().map(Masked::as_str).collect(), hint.as_ref().map(Masked::as_str))
            }
            _ => (Vec::new(), None),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Every step succeeded, was skipped by its own wish, or was allowed to fail.
    Success,
    /// A step failed.
    Failed,
    /// The user stopped it.
    Cancelled,
}

mod millis {
    //! Durations as milliseconds.

    use std::time::Duration;

    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
