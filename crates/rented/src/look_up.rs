//! What became of a request that costs money and had no answer: the label, which was part of it, says.

use std::time::Duration;

use crate::caller::Caller;
use crate::error::RentedError;
use crate::machine_id::MachineId;
use crate::vendor::Vendor;

/// How often the machine is looked for, and the pause between: it appears in the list some seconds after
/// the request.
const LOOKS: (usize, Duration) = (4, Duration::from_secs(3));

/// The machine with this label. One that no list has yet may be there all the same.
pub(crate) async fn look_up(
    vendor: &dyn Vendor,
    caller: &Caller,
    error: RentedError,
    label: &str,
) -> Result<MachineId, RentedError> {
    for _ in 0..LOOKS.0 {
        caller.pause(LOOKS.1).await;
        let Ok(found) = vendor.labelled(label).await else { break };
        if let Some(machine) = found.into_iter().next() {
            return Ok(machine.id);
        }
    }
    let (label, vendor) = (label.to_owned(), vendor.name());
    Err(RentedError::CreateUnclear { label, cause: Box::new(error), vendor })
}
