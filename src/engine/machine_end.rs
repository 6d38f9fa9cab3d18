//! Whether the machine of a step is at fault for its end: its vendor may have stopped it.

use std::time::Duration;

use doppio_secrets::Mask;
use doppio_text::name::HostId;

use crate::event::End;
use crate::rentals::Rentals;
use crate::step::Outcome;
use crate::step::Report;

/// How long the vendor may take to say.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks the vendor of a step's machine when the step's end looks like that of the machine. What is to be reported,
/// if the machine does not run any more: nothing of the step does, either.
pub(super) async fn look(
    rentals: &Rentals,
    machine: &HostId,
    outcome: &mut Outcome,
    mask: &Mask,
) -> Option<[Report; 2]> {
    if !matches!(outcome.end, End::Lost { gone: false, .. } | End::Error { world: true, .. }) {
        return None;
    }
    let halted = tokio::time::timeout(LIMIT, rentals.halted(machine.as_str())).await.ok()?.ok()??;
    if let End::Lost { gone, .. } = &mut outcome.end {
        *gone = true;
    }
    let notice = Report::Notice(mask.text(&format!("`{machine}` {}", halted.what)));
    Some([notice, Report::Returned(machine.clone(), halted.per_hour)])
}
