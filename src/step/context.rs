//! What an operation may use while it runs.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio::sync::watch;

use doppio_hosts::EnvVar;
use doppio_hosts::Host;
use doppio_hosts::Pool;
use doppio_secrets::Delivery;
use doppio_secrets::Hold;
use doppio_secrets::Masked;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::Wanted;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;
use doppio_text::name::StepId;

use crate::event::Stream;
use crate::step::HostText;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Reference;
use crate::step::SecretText;
use crate::step::ShellText;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::Text;
use crate::step::TextPart;
use crate::step::Value;
use crate::step::Values;
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
    /// How its secrets travelled.
    Delivered(Vec<Delivery>),
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
    /// The run's secrets.
    pub secrets: Arc<SecretSession>,
    /// What the step needs of them, in all its attempts.
    pub hold: Arc<Hold>,
    /// The host that `${host}` and a missing `host_id` mean.
    pub host: Option<HostId>,
    /// The providers whose credentials it gets.
    pub credentials: Vec<Wanted>,
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
        let (value, _) = self.fill(&text.0).await?;
        Ok(value)
    }

    /// A script and the environment that its references became.
    pub(in crate::step) async fn script(&self, text: &ShellText) -> Result<(String, Vec<EnvVar>), StepError> {
        let bindings = text.script.bindings.iter();
        let env =
            try_join_all(bindings.map(|binding| self.variable(&binding.variable, &binding.value))).await?;
        Ok((text.script.text.clone(), env))
    }

    /// The environment table of an operation.
    pub(in crate::step) async fn env<'a>(
        &self,
        table: impl IntoIterator<Item = (&'a EnvName, &'a SecretText)>,
    ) -> Result<Vec<EnvVar>, StepError> {
        try_join_all(table.into_iter().map(|(name, text)| self.variable(name, &text.0))).await
    }

    /// The host a field names, or the step's own, or the run's target.
    pub(in crate::step) async fn host(&self, field: Option<&HostText>) -> Result<Host, StepError> {
        let id = self.host_id(field)?;
        let host = Box::pin(self.unless_stopped(self.pool.host(&id))).await??;
        Ok(host)
    }

    /// The id of the host a field names, or the step's own, or the run's target.
    pub(crate) fn host_id(&self, field: Option<&HostText>) -> Result<HostId, StepError> {
        if let Some(field) = field {
            return self
                .text(&field.0)?
                .parse()
                .map_err(|error: doppio_text::name::InvalidName| StepError::failed(error.to_string()));
        }
        self.host.clone().or_else(|| self.values.target.clone()).ok_or_else(|| {
            StepError::hinted(
                "the step names no host, and the run has no target",
                "name one with `--host HOST`",
            )
        })
    }

    /// This machine as a host.
    pub(in crate::step) fn local(&self) -> Host {
        self.pool.local()
    }

    /// Makes a secret of a value: from now on the mask knows it as `name`. An empty value stays
    /// as it is; one that can't be masked is an error.
    pub(in crate::step) fn register(&self, name: &str, value: Value) -> Result<Value, StepError> {
        if matches!(&value, Value::Plain(text) if text.is_empty()) {
            return Ok(value);
        }
        let secret = value.into_secret();
        match self.secrets.mask().register(name, &secret) {
            Ok(()) => Ok(Value::Secret(secret)),
            Err(error) => Err(StepError::failed(error.to_string())),
        }
    }

    /// Waits, unless told to stop.
    pub(crate) async fn sleep(&mut self, duration: Duration) -> Result<(), StepError> {
        self.unless_stopped(tokio::time::sleep(duration)).await
    }

    /// Records and reports how secrets travelled to a host.
    pub(in crate::step) async fn delivered(&self, host: &Host, deliveries: &[Delivery<String>]) {
        if !deliveries.is_empty() {
            let told = self.secrets.delivered(self.step.as_str(), host.id().as_str(), deliveries).await;
            self.report(Report::Delivered(told)).await;
        }
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

    /// A text's value, and the references that made it secret.
    async fn fill(&self, text: &Text) -> Result<(Value, Vec<Origin>), StepError> {
        // Counted as they come, so that no more than one of them is over the limit.
        let len = &AtomicUsize::new(0);
        let part = async |part| {
            let value = self.part(part).await?;
            let size = value.size();
            within_limit(len.fetch_add(size, Ordering::Relaxed) + size)?;
            Ok::<_, StepError>(value)
        };
        let parts = try_join_all(text.parts.iter().map(part)).await?;
        let secrets: Vec<Origin> = text
            .parts
            .iter()
            .zip(&parts)
            .filter_map(|(part, value)| match (part, value) {
                (TextPart::Reference(Reference::Secret(secret)), _) => {
                    Some(Origin { name: secret.label(), is_default: self.secrets.stands_in(secret) })
                }
                (TextPart::Reference(reference), Value::Secret(_)) => {
                    Some(Origin { name: reference.to_string(), is_default: false })
                }
                _ => None,
            })
            .collect();
        let value = match <[Value; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => join(parts, !secrets.is_empty()),
        };
        Ok((value, secrets))
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

    async fn variable(&self, name: &EnvName, text: &Text) -> Result<EnvVar, StepError> {
        let (value, secrets) = self.fill(text).await?;
        let value = value.into_secret();
        let is_default = !secrets.is_empty() && secrets.iter().all(|secret| secret.is_default);
        // Beside a secret, a default is text like any other.
        let told = secrets.iter().filter(|secret| is_default || !secret.is_default);
        let mut names: Vec<String> = Vec::new();
        for secret in told {
            if !names.contains(&secret.name) {
                names.push(secret.name.clone());
            }
        }
        Ok(EnvVar { secrets: names, is_default, ..EnvVar::new(name.clone(), value) })
    }
}

/// Where a value has its secret from.
struct Origin {
    /// The reference, without its default.
    name: String,
    /// The secret is not set: the default of the reference is in its place.
    is_default: bool,
}

fn secret_in_text(reference: &Reference) -> StepError {
    StepError::hinted(
        format!("`${{{reference}}}` is secret and is not allowed in plain text"),
        "pass it in `env`",
    )
}

/// One value of several.
fn join(parts: Vec<Value>, is_secret: bool) -> Value {
    if !is_secret {
        let text = |part| if let Value::Plain(text) = part { Some(text) } else { None };
        return Value::Plain(parts.into_iter().filter_map(text).collect());
    }
    let mut whole = Vec::new();
    for part in parts {
        match part {
            Value::Plain(text) => whole.extend_from_slice(text.as_bytes()),
            #[expect(
                clippy::disallowed_methods,
                reason = "it becomes part of a longer secret, which is boxed at once"
            )]
            Value::Secret(secret) => secret.reveal(|bytes| whole.extend_from_slice(bytes)),
        }
    }
    Value::Secret(SecretValue::new(whole))
}
