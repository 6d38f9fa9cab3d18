//! Whether a run's host has what `[target]` asks for.

use doppio_hosts::Pool;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::plan::Plan;
use crate::plan::PlannedStep;

/// Refuses a run whose target has less than the recipe asks for.
pub(super) async fn check(plan: &Plan, pool: &Pool) -> Result<(), CliError> {
    let (asked, Some(id)) = (plan.asks().asked(), plan.target()) else { return Ok(()) };
    if !asked.is_about_hardware() {
        return Ok(());
    }
    match pool.host(id).await {
        Ok(_) => {}
        // The step that starts it looks, too.
        Err(_) if plan.steps().iter().any(PlannedStep::makes_target) => return Ok(()),
        // A step of the run waits for it.
        Err(error) if plan.steps().iter().any(|step| step.kind == "wait_condition") => {
            output::line(&format!(
                "warning: `[target]` was not checked, for `{id}` can't be reached yet: {}",
                error.message
            ));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    let unmet = asked.unmet(pool.hardware(id).await?.as_ref(), None);
    if unmet.is_empty() {
        return Ok(());
    }
    let mut error =
        CliError::world(format!("`{id}` does not have what `[target]` asks for; nothing has run"));
    error.causes = unmet;
    Err(error.hint("run it on another host with `--host HOST`, or change `[target]` in the recipe"))
}
