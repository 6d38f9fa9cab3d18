//! `assert`: fails the run unless a condition holds.

use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::condition::Condition;
use crate::step::field::fields;

fields! {
    /// Fails unless a condition holds.
    pub(in crate::step) struct Assert {
        /// What must hold.
        condition: Condition,
        /// The host of conditions that name none.
        host_id: Option<HostText>,
        /// What to say if it does not hold.
        message: Option<PlainText>,
    }
}

impl Operation for Assert {
    const NAME: &'static str = "assert";
    const EXAMPLE: &'static str =
        "assert = { condition = { file_exists = { path = \"/workspace/model\" } }, message = \"no model\" }";

    fn site(&self) -> Site<'_> {
        self.condition.site(self.host_id.as_ref())
    }

    fn show(&self) -> Vec<String> {
        vec![format!("assert {}", self.condition)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        if self.condition.holds(cx, self.host_id.as_ref()).await? {
            return Ok(Outcome::success());
        }
        let message = match &self.message {
            Some(text) => cx.text(text)?,
            None => format!("assertion failed: {}", self.condition),
        };
        Err(StepError::failed(message))
    }
}
