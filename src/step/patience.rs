//! Waiting is not launching: what only waits, or asks, does so again when the connection is gone.

use std::time::Duration;

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::HostError;

use crate::event::End;
use crate::step::Ended;
use crate::step::StepContext;
use crate::step::StepError;

/// The first pause between two attempts; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// How long until the next attempt, and what was said about it.
pub(in crate::step) struct Patience {
    pause: Duration,
    told: Option<String>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pause: FIRST, told: None }
    }
}

impl Patience {
    /// Says why there is another attempt, once for each cause, and waits for it.
    pub(in crate::step) async fn wait(
        &mut self,
        cx: &mut StepContext,
        host: &Host,
        cause: &str,
    ) -> Result<(), StepError> {
        if self.told.as_deref() != Some(cause) {
            let (step, id) = (&cx.step, host.id());
            cx.notice(&format!("`{step}` waits on, and connects to `{id}` again: {cause}")).await;
            self.told = Some(cause.to_owned());
        }
        cx.sleep(self.pause).await?;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }
}

impl StepContext {
    /// Asks what can be asked any number of times: a connection that breaks is made anew, for as
    /// long as the step may last. A host that has `answered` before can be asked again even if it
    /// can't be asked now.
    pub(in crate::step) async fn ask_on(
        &mut self,
        host: &Host,
        exec: Exec,
        answered: bool,
    ) -> Result<Ended, StepError> {
        let mut patience = Patience::default();
        loop {
            let cause = match self.ask(host, exec.clone()).await {
                Ok(Ended { end: End::Lost { cause, .. }, .. }) => cause.as_str().to_owned(),
                Err(StepError::Host(error)) if answered => described(&error),
                known => return known,
            };
            patience.wait(self, host, &cause).await?;
        }
    }
}

/// An error with its causes, in one line.
pub(in crate::step) fn described(error: &HostError) -> String {
    [std::slice::from_ref(&error.message), &error.causes].concat().join(": ")
}
