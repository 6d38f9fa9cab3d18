//! `wait_condition`: waits until a condition holds.

use std::time::Duration;
use std::time::Instant;

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::condition::Condition;
use crate::step::field::fields;

fields! {
    /// Waits until a condition holds.
    pub(in crate::step) struct WaitCondition {
        /// What must become true.
        condition: Condition,
        /// The host of conditions that name none.
        host_id: Option<HostText>,
        /// Seconds after which the step fails.
        timeout_secs: u64 = 300,
        /// Seconds between two checks.
        poll_interval_secs: u64 = 10,
    }
}

impl Operation for WaitCondition {
    const NAME: &'static str = "wait_condition";
    const EXAMPLE: &'static str = "wait_condition = { condition = { file_exists = { path = \"/workspace/done\" } }, timeout_secs = 600 }";

    fn site(&self) -> Site<'_> {
        self.condition.site(self.host_id.as_ref())
    }

    fn show(&self) -> Vec<String> {
        vec![format!(
            "wait for {} (checks every {} s, at most {} s)",
            self.condition, self.poll_interval_secs, self.timeout_secs
        )]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
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
