//! `sleep`: waits.

use crate::step::Operation;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Seconds;
use crate::step::field::fields;

fields! {
    /// Waits for a number of seconds.
    pub(in crate::step) struct Sleep {
        /// Seconds; a fraction is fine.
        duration_secs: Seconds,
    }
}

impl Operation for Sleep {
    const NAME: &'static str = "sleep";
    const EXAMPLE: &'static str = "sleep = { duration_secs = 5 }";

    fn show(&self) -> Vec<String> {
        vec![format!("sleep {} s", self.duration_secs.0)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        cx.sleep(self.duration_secs.duration()).await?;
        Ok(Outcome::success())
    }
}
