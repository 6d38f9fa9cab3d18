//! Running a script in a step, what of its output is shown, and what is left of it.

use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Stopped;

use crate::event::End;
use crate::step::Ended;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::masked_output::Show;
use crate::step::unended;
use crate::step::unended::GRACE;

impl StepContext {
    /// Ends what earlier attempts left.
    ///
    /// # Errors
    ///
    /// When it may still run.
    pub(crate) async fn end_what_is_left(&self) -> Result<(), StepError> {
        for group in self.unended.all() {
            let stopped = self.unless_stopped(group.stop(GRACE)).await?;
            if !stopped.as_ref().is_ok_and(Stopped::is_gone) {
                let cause = unended::cause(&group, &stopped);
                return Err(StepError::Unended {
                    cause: format!("an attempt before this one may still run: {cause}"),
                });
            }
            self.unended.remove(&group);
            self.notice(&format!("process {} of an attempt before this one has ended", group.pid())).await;
        }
        Ok(())
    }

    /// Runs a script to its end: output goes through the mask to the dispatcher, a stop ends the
    /// whole process group.
    pub(in crate::step) async fn exec(&mut self, host: &Host, exec: Exec) -> Result<Ended, StepError> {
        Box::pin(self.follow(host, exec, Show::Everything)).await
    }

    /// The same without showing the output: for questions that Doppio asks.
    pub(in crate::step) async fn ask(&mut self, host: &Host, exec: Exec) -> Result<Ended, StepError> {
        let ended = Box::pin(self.follow(host, exec, Show::Nothing)).await?;
        // The host has answered: what earlier questions left there can be looked after.
        if !matches!(ended.end, End::Lost { .. }) {
            for group in self.unended.all() {
                let stopped = self.unless_stopped(group.stop(GRACE)).await?;
                if stopped.is_ok_and(|stopped| stopped.is_gone()) {
                    self.unended.remove(&group);
                }
            }
        }
        Ok(ended)
    }

    /// The same for a script whose standard output is a secret: only standard error is shown, as it comes,
    /// for it may ask for something. The output is known to the mask as `name` when this returns, whatever
    /// became of the script.
    pub(in crate::step) async fn exec_secret(
        &mut self,
        host: &Host,
        exec: Exec,
        name: &str,
    ) -> Result<Ended, StepError> {
        Box::pin(self.follow_secret(host, exec, |cx, ended| {
            let failed = ended.end != End::Exit { code: 0 };
            let stdout = match cx.register(name, ended.stdout) {
                // A failure is reported as it is; its output is not needed then.
                Err(_) if failed => Value::default(),
                registered => registered?,
            };
            Ok(Ended { stdout, ..ended })
        }))
        .await
    }
}
