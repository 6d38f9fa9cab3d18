//! What an operation may use while it runs.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Delivery;
use crate::event::Stream;
use crate::host::EnvVar;
use crate::host::Exec;
use crate::host::Host;
use crate::host::Pool;
use crate::name::StepId;
use crate::secret::Masked;
use crate::secret::Vault;
use crate::step::Ended;
use crate::step::PlainText;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::StepError;
use crate::step::Value;
use crate::step::Values;

/// What an attempt is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// Go on.
    #[default]
    No,
    /// Stop: the deadline has passed.
    Timeout,
    /// Stop: the run was cancelled.
    Cancel,
}

/// What an attempt tells the dispatcher.
#[derive(Debug)]
pub enum Report {
    /// Output, masked.
    Output(Stream, Masked),
    /// How far it is.
    Progress(Masked),
    /// Something for the user that is no output.
    Notice(Masked),
    /// How its secrets travelled.
    Delivered(Vec<Delivery>),
    /// Times a secret was masked in its output, by name.
    Masked(Vec<(String, u64)>),
}

/// One attempt's view of the world.
pub struct StepContext {
    /// Which step.
    pub step: StepId,
    /// Counted from 1.
    pub attempt: u32,
    /// What is known.
    pub values: Arc<Values>,
    /// The run's hosts.
    pub pool: Arc<Pool>,
    /// The run's secrets.
    pub vault: Arc<Vault>,
    /// The host that `${host}` and a missing `host_id` mean.
    pub host: Option<crate::name::HostId>,
    pub(crate) reports: tokio::sync::mpsc::Sender<(StepId, Report)>,
    pub(crate) stop: tokio::sync::watch::Receiver<Stop>,
}

impl StepContext {
    /// The text with its references resolved.
    ///
    /// # Errors
    ///
    /// When a value in it is a secret.
    pub fn text(&self, text: &PlainText) -> Result<String, StepError> {
        let _ = text;
        unimplemented!("SKELETON")
    }

    /// The value with its references resolved; secrets are fetched now.
    ///
    /// # Errors
    ///
    /// When a secret can't be had.
    pub async fn value(&self, text: &SecretText) -> Result<Value, StepError> {
        let _ = text;
        unimplemented!("SKELETON")
    }

    /// A script and the environment that its references became.
    ///
    /// # Errors
    ///
    /// When a secret can't be had.
    pub async fn script(&self, text: &ShellText) -> Result<(String, Vec<EnvVar>), StepError> {
        let _ = text;
        unimplemented!("SKELETON")
    }

    /// The environment table of an operation.
    ///
    /// # Errors
    ///
    /// When a secret can't be had.
    pub async fn env<'a>(
        &self,
        table: impl IntoIterator<Item = (&'a crate::name::EnvName, &'a SecretText)>,
    ) -> Result<Vec<EnvVar>, StepError> {
        let _ = table;
        unimplemented!("SKELETON")
    }

    /// The host a field names, or the step's own.
    ///
    /// # Errors
    ///
    /// When it can't be reached.
    pub async fn host(&self, field: Option<&PlainText>) -> Result<Host, StepError> {
        let _ = field;
        unimplemented!("SKELETON")
    }

    /// This machine as a host.
    pub fn local(&self) -> Host {
        unimplemented!("SKELETON")
    }

    /// Runs a script to its end: output goes through the mask to the dispatcher, a stop ends the
    /// whole process group.
    ///
    /// # Errors
    ///
    /// When it could not be started, or was stopped.
    pub async fn exec(&mut self, host: &Host, exec: Exec) -> Result<Ended, StepError> {
        let _ = (host, exec);
        unimplemented!("SKELETON")
    }

    /// The same without showing the output: for questions that Doppio asks.
    ///
    /// # Errors
    ///
    /// As [`StepContext::exec`].
    pub async fn ask(&mut self, host: &Host, exec: Exec) -> Result<Ended, StepError> {
        let _ = (host, exec);
        unimplemented!("SKELETON")
    }

    /// Waits, unless told to stop.
    ///
    /// # Errors
    ///
    /// When told to stop.
    pub async fn sleep(&mut self, duration: Duration) -> Result<(), StepError> {
        let _ = duration;
        unimplemented!("SKELETON")
    }

    /// Says how far the step is.
    pub async fn progress(&self, message: &str) {
        let _ = message;
    }
}
