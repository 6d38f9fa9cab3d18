//! What an operation may use while it runs.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio::sync::watch;

use doppio_hosts::EnvVar;
use doppio_hosts::Hardware;
use doppio_hosts::Host;
use doppio_hosts::Pool;
use doppio_hosts::Stdin;
use doppio_secrets::Delivery;
use doppio_secrets::Hold;
use doppio_secrets::Masked;
use doppio_secrets::Piece;
use doppio_secrets::Registered;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::Wanted;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;
use doppio_text::name::StepId;

use crate::event::StepProcess;
use crate::event::Stream;
use crate::rentals::Rentals;
use crate::step::HostText;
use crate::step::OpenPorts;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Reference;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::Text;
use crate::step::TextPart;
use crate::step::Unended;
use crate::step::Value;
use crate::step::Values;
use crate::step::field::FORM;
use crate::step::field::Files;
use crate::step::stopped;
use crate::step::values::within_limit;

/// What an attempt reports to the dispatcher.
#[derive(Debug)]
pub enum Report {
    /// Output, masked.
    Output(Stream, Masked),
    /// How far it is.
    Progress(Masked),
    /// Something for the user that is not the step's output.
    Notice(Masked),
    /// A process of it runs.
    Launched(StepProcess),
    /// It hired a machine, or started one, which may be the run's target from now on; with dollars an hour.
    Rented(HostId, Option<f64>),
    /// It stopped a machine, or destroyed it; with dollars an hour from now on.
    Returned(HostId, f64),
    /// How its secrets travelled.
    Delivered(Vec<Delivery>),
    /// What the host of a step has that has not begun, for its `when`; or why that is not known.
    Hardware(Result<Arc<Hardware>, String>),
    /// Times a secret was masked in its output, by name; they add up.
    Masked(Vec<(String, u64)>),
    /// The attempt is over. The engine sends it, after all else.
    Over(Outcome),
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
    /// The user's machines at vendors.
    pub rentals: Arc<Rentals>,
    /// The run's secrets.
    pub secrets: Arc<SecretSession>,
    /// What the step needs of them, in all its attempts.
    pub hold: Arc<Hold>,
    /// The host that `${host}` and a missing `host_id` mean.
    pub host: Option<HostId>,
    /// The providers whose credentials it gets.
    pub credentials: Vec<Wanted>,
    /// What its attempts started and nobody has seen the end of.
    pub(crate) unended: Unended,
    /// The ports that its attempts opened.
    pub(crate) ports: OpenPorts,
    pub(crate) reports: mpsc::Sender<(StepId, Report)>,
    pub(crate) stop: watch::Receiver<Stop>,
}

impl StepContext {
    /// The text with its references resolved.
    pub(in crate::step) fn text(&self, text: &PlainText) -> Result<String, StepError> {
        self.values.fill(&text.0, self.host.as_ref(), secret_in_text)
    }

    /// The value with its references resolved; secrets are fetched now.
    pub(in crate::step) async fn value(&self, text: &SecretText) -> Result<Value, StepError> {
        self.fill(&text.0).await
    }

    /// The same as the standard input of a script; `sent` says how the secrets in it go.
    pub(in crate::step) async fn stdin(
        &self,
        text: &SecretText,
        sent: fn(&Registered) -> Vec<Delivery<String>>,
    ) -> Result<Stdin, StepError> {
        Ok(match self.fill(&text.0).await? {
            Value::Plain(text) => {
                Stdin { bytes: SecretValue::new(text.into_bytes()), deliveries: Vec::new() }
            }
            Value::Secret(value) => Stdin { bytes: value.value().clone(), deliveries: sent(&value) },
        })
    }

    /// A script and the environment that its references became.
    pub(in crate::step) async fn script(&self, text: &ShellText) -> Result<(String, Vec<EnvVar>), StepError> {
        let bindings = text.script.bindings.iter();
        let env =
            try_join_all(bindings.map(|binding| self.variable(&binding.variable, &binding.value))).await?;
        Ok((text.script.text.clone(), env.into_iter().flatten().collect()))
    }

    /// The environment table of an operation.
    pub(in crate::step) async fn env<'a>(
        &self,
        table: impl IntoIterator<Item = (&'a EnvName, &'a SecretText)>,
    ) -> Result<Vec<EnvVar>, StepError> {
        let env = try_join_all(table.into_iter().map(|(name, text)| self.variable(name, &text.0))).await?;
        Ok(env.into_iter().flatten().collect())
    }

    /// The files of an operation, as the variables that will have their paths.
    pub(in crate::step) async fn files(&self, files: &Files) -> Result<Vec<EnvVar>, StepError> {
        let env = self.env(&files.0.0).await?;
        Ok(env.into_iter().map(|variable| EnvVar { file: Some(&FORM), ..variable }).collect())
    }

    /// The host a field names, or the step's own, or the run's target.
    pub(in crate::step) async fn host(&self, field: Option<&HostText>) -> Result<Host, StepError> {
        let id = self.host_id(field)?;
        let host = Box::pin(self.unless_stopped(self.pool.host(&id))).await??;
        Ok(host)
    }

    /// The id of the host a field names, or the step's own, or the run's target.
    pub(crate) fn host_id(&self, field: Option<&HostText>) -> Result<HostId, StepError> {
        self.values.host_id(field, self.host.as_ref(), secret_in_text)
    }

    /// This machine as a host.
    pub(in crate::step) fn local(&self) -> Host {
        self.pool.local()
    }

    /// Makes a secret of a value: from now on the mask knows it as `name`. An empty value stays
    /// as it is; one that can't be masked is an error.
    pub(in crate::step) fn register(&self, name: &str, value: Value) -> Result<Value, StepError> {
        let secret = match value {
            Value::Plain(text) if text.is_empty() => return Ok(Value::Plain(text)),
            Value::Plain(text) => SecretValue::new(text.into_bytes()),
            Value::Secret(secret) => secret.value().clone(),
        };
        let registered = Registered::new(self.secrets.mask(), name, secret);
        registered.map(Value::Secret).map_err(|error| StepError::failed(error.to_string()))
    }

    /// Waits, unless told to stop.
    pub(crate) async fn sleep(&mut self, duration: Duration) -> Result<(), StepError> {
        self.unless_stopped(tokio::time::sleep(duration)).await
    }

    /// Says how far the step is.
    pub(crate) async fn progress(&self, message: &str) {
        self.report(Report::Progress(self.secrets.mask().text(message))).await;
    }

    /// Tells the user something that is not the step's output.
    pub(in crate::step) async fn notice(&self, text: &str) {
        self.report(Report::Notice(self.secrets.mask().text(text))).await;
    }

    /// Reports to the dispatcher; waits while it is busy.
    pub(in crate::step) async fn report(&self, report: Report) {
        // Nobody listens once the run has ended by force.
        drop(self.reports.send((self.step.clone(), report)).await);
    }

    /// Does it, unless told to stop first.
    pub(in crate::step) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, StepError> {
        tokio::select! {
            biased;
            stop = stopped(self.stop.clone()) => Err(StepError::Stopped(stop)),
            done = work => Ok(done),
        }
    }

    async fn fill(&self, text: &Text) -> Result<Value, StepError> {
        // Counted as they come, so that no more than one of them is over the limit.
        let len = &AtomicUsize::new(0);
        let part = async |part| {
            let value = self.part(part).await?;
            let size = value.size();
            within_limit(len.fetch_add(size, Ordering::Relaxed) + size)?;
            Ok::<_, StepError>(value)
        };
        let parts = try_join_all(text.parts.iter().map(part)).await?;
        Ok(match <[Value; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => join(&parts),
        })
    }

    async fn part(&self, part: &TextPart) -> Result<Value, StepError> {
        match part {
            TextPart::Text(text) => Ok(Value::Plain(text.clone())),
            TextPart::Reference(Reference::Secret(secret)) => {
                Ok(Value::Secret(self.unless_stopped(self.secrets.fetch_for(&self.hold, secret)).await??))
            }
            TextPart::Reference(reference) => self.values.look_up(reference, self.host.as_ref()),
        }
    }

    /// A variable; none where its secret is not set and is not to be set then.
    async fn variable(&self, name: &EnvName, text: &Text) -> Result<Option<EnvVar>, StepError> {
        let value = self.fill(text).await?;
        if let [TextPart::Reference(Reference::Secret(secret))] = text.parts.as_slice()
            && secret.leaves_unset()
            && self.secrets.stands_in(secret)
        {
            return Ok(None);
        }
        Ok(Some(match value {
            Value::Plain(text) => EnvVar::new(name.clone(), SecretValue::new(text.into_bytes())),
            Value::Secret(value) => {
                let (secrets, is_default) = value.names();
                EnvVar { secrets, is_default, ..EnvVar::new(name.clone(), value.value().clone()) }
            }
        }))
    }
}

fn secret_in_text(reference: &Reference) -> StepError {
    StepError::hinted(
        format!("`${{{reference}}}` is secret and is not allowed in plain text"),
        "pass it in `env`",
    )
}

/// One value of several: a secret, if one of them is.
fn join(parts: &[Value]) -> Value {
    let text = |part: &Value| if let Value::Plain(text) = part { Some(text.clone()) } else { None };
    if let Some(text) = parts.iter().map(text).collect() {
        return Value::Plain(text);
    }
    let pieces: Vec<Piece<'_>> = parts
        .iter()
        .map(|part| match part {
            Value::Plain(text) => Piece::Text(text),
            Value::Secret(secret) => Piece::Secret(secret),
        })
        .collect();
    Value::Secret(Registered::join(&pieces))
}
