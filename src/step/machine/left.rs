//! Machines that an earlier run or an earlier attempt has left.

use std::sync::Arc;
use std::time::Duration;

use doppio_hosts::HostError;
use doppio_rented::Label;
use doppio_rented::Machine;
use doppio_rented::MachineId;
use doppio_rented::MachineState;
use doppio_rented::Vendor;
use doppio_text::shell::typed;

use crate::rentals::told;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::choice;
use crate::step::machine::existing::Existing;
use crate::step::machine::existing::host_of;

/// How long what an earlier attempt left may take to be destroyed.
const DESTROY: Duration = Duration::from_secs(25);

choice! {
    /// What happens when the same step of an earlier run has left a machine.
    pub(in crate::step) enum IfLeft {
        /// The step fails, and says which.
        Error = "error",
        /// It is taken, and nothing is hired.
        Reuse = "reuse",
        /// Another is hired beside it.
        Create = "create",
    }
}

/// The machine that the same step of an earlier run of this recipe has left. What an earlier attempt of
/// this very step left is destroyed.
pub(super) async fn left(
    cx: &mut StepContext,
    vendor: &Arc<dyn Vendor>,
    if_left: IfLeft,
) -> Result<Option<MachineId>, StepError> {
    if if_left == IfLeft::Create && cx.attempt == 1 {
        return Ok(None);
    }
    let all = cx.unless_stopped(vendor.list()).await?.map_err(|error| told(&error))?;
    let ours = all.into_iter().filter(|machine| machine.state != MachineState::Gone);
    let ours = ours.filter_map(|machine| {
        let label: Label = machine.label.as_deref()?.parse().ok()?;
        label.is_of(&cx.values.recipe, &cx.step).then_some((machine, label))
    });
    let (own, earlier): (Vec<_>, Vec<_>) = ours.partition(|(_, label)| label.is_of_run(&cx.values.run));
    for (machine, _) in own {
        let machine = Existing { id: machine.id, vendor: Arc::clone(vendor) };
        cx.unless_stopped(machine.destroy(DESTROY)).await?.map_err(|error| told(&error))?;
        cx.report(Report::Returned(host_of(&machine.id)?, 0.0)).await;
        cx.notice(&format!("`{}`, which an earlier attempt left, was destroyed", machine.id)).await;
    }
    if if_left == IfLeft::Create {
        return Ok(None);
    }
    let goes_on = |label: &Label| label.of_run.as_ref().is_some_and(|(run, _)| cx.rentals.is_in_use_by(run));
    let (busy, idle): (Vec<_>, Vec<_>) = earlier.into_iter().partition(|(_, label)| goes_on(label));
    let Some((machine, label)) = idle.into_iter().next() else {
        return busy.into_iter().next().map_or(Ok(None), |(machine, label)| Err(in_use(&machine, label)));
    };
    if if_left == IfLeft::Reuse {
        return Ok(Some(machine.id));
    }
    let run = label.of_run.map(|(run, _)| run.to_string()).unwrap_or_default();
    let name = vendor.name().as_str();
    Err(StepError::Host(
        HostError::new(format!(
            "`{}`, which run `{run}` hired for this step, is still there, and costs {} an hour",
            machine.id,
            machine.costs_per_hour()
        ))
        .hint(format!(
            "destroy it: {}; or take it with `if_exists = \"reuse\"`, or hire another with \
             `if_exists = \"create\"`",
            typed(["doppio", name, "destroy", &machine.id.to_string()])
        )),
    ))
}

/// A machine of a run that goes on is not taken from it.
fn in_use(machine: &Machine, label: Label) -> StepError {
    let run = label.of_run.map(|(run, _)| run.to_string()).unwrap_or_default();
    StepError::Host(
        HostError::new(format!("`{}` was hired for this step by run `{run}`, which goes on", machine.id))
            .hint(format!(
                "wait for its end: {}; or hire another with `if_exists = \"create\"`",
                typed(["doppio", "runs", "show", &run])
            )),
    )
}
