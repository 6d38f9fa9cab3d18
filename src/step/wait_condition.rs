//! `wait_condition`: waits until a condition holds.

use std::time::Duration;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::step::Condition;
use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::typed;

pub(super) static KIND: StepKind = StepKind {
    name: "wait_condition",
    summary: "Waits until a condition holds",
    example: "wait_condition = { condition = { file_exists = { path = \"/workspace/done\" } }, timeout_secs = 600 }",
    keys: keys::<WaitCondition>,
    parse: typed::<WaitCondition>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitCondition {
    /// What must become true.
    condition: Condition,
    /// The host of conditions that name none.
    host_id: Option<PlainText>,
    /// Seconds after which the step fails.
    #[serde(default = "five_minutes")]
    timeout_secs: u64,
    /// Seconds between two checks.
    #[serde(default = "ten_seconds")]
    poll_interval_secs: u64,
}

fn five_minutes() -> u64 {
    300
}

fn ten_seconds() -> u64 {
    10
}

impl WaitCondition {
    async fn wait(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let begin = Instant::now();
        let limit = Duration::from_secs(self.timeout_secs);
        loop {
            // If the host can't be reached, the condition does not hold yet.
            let evidence = match self.condition.holds(cx, self.host_id.as_ref()).await {
                Ok(true) => return Ok(Outcome::success()),
                Ok(false) => None,
                Err(StepError::Host(error)) => Some(error),
                Err(other) => return Err(other),
            };
            let spent = begin.elapsed();
            if spent >= limit {
                return Err(StepError::Failed {
                    message: format!(
                        "the condition does not hold after {} s: {}",
                        self.timeout_secs, self.condition
                    ),
                    hint: evidence.map(|error| format!("the last check failed: {error}")),
                });
            }
            cx.progress(&format!("waiting for {}", self.condition)).await;
            let pause = Duration::from_secs(self.poll_interval_secs).max(Duration::from_millis(50));
            cx.sleep(pause.min(limit.saturating_sub(spent))).await?;
        }
    }
}

impl Step for WaitCondition {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields = self.condition.fields();
        fields.extend(self.host_id.iter_mut().map(|text| ("host_id".to_owned(), FieldMut::Plain(text))));
        fields
    }

    fn place(&self) -> Place<'_> {
        self.condition.place(self.host_id.as_ref())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.condition.faults().into_iter().map(|fault| ("condition", fault)).collect()
    }

    fn show(&self) -> Vec<String> {
        vec![format!(
            "wait for {} (checks every {} s, at most {} s)",
            self.condition, self.poll_interval_secs, self.timeout_secs
        )]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        self.wait(cx).boxed()
    }
}
