//! `set_var`: sets a variable for the steps that follow.

use crate::step::Operation;
use crate::step::Outcome;
use crate::step::SecretText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Variable;
use crate::step::field::fields;

fields! {
    /// Sets a variable for the steps that follow.
    pub(in crate::step) struct SetVar {
        /// The variable.
        name: Variable,
        /// What it becomes; a secret in it makes the variable secret.
        value: SecretText,
    }
}

impl Operation for SetVar {
    const NAME: &'static str = "set_var";
    const EXAMPLE: &'static str = "set_var = { name = \"stamp\", value = \"${now}\" }";

    fn show(&self) -> Vec<String> {
        vec![format!("{} = {}", self.name.0, self.value)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let value = cx.value(&self.value).await?;
        // Later steps use it: its leases must last until the run ends.
        cx.secrets.keep(&cx.hold);
        Ok(Outcome { sets: vec![(self.name.0.clone(), value)], ..Outcome::success() })
    }
}
