//! An order, which costs money once it is placed.

use std::time::Duration;

use doppio_rented::MachineId;
use doppio_rented::Order;
use doppio_rented::RentedError;
use doppio_rented::Vendor;
use doppio_text::shell::typed;

use crate::step::StepContext;
use crate::step::StepError;

/// How long the answer to an order is waited for once the step is told to stop.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a machine is then looked for by its label.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Places an order. Who is told to stop in the middle of it may have hired a machine: the answer is waited
/// for, then the machine is looked for by its label.
pub(super) async fn place(
    cx: &StepContext,
    vendor: &dyn Vendor,
    order: &Order,
) -> Result<Result<MachineId, RentedError>, StepError> {
    let mut answer = vendor.create(order);
    let stopped = match cx.unless_stopped(&mut answer).await {
        Err(stopped @ StepError::Stopped(_)) => stopped,
        done => return done,
    };
    if let Ok(done) = tokio::time::timeout(ANSWER, &mut answer).await {
        return Ok(done);
    }
    drop(answer);
    let found = tokio::time::timeout(LOOK_UP, vendor.labelled(&order.label)).await;
    if let Some(machine) = found.ok().and_then(Result::ok).and_then(|found| found.into_iter().next()) {
        return Ok(Ok(machine.id));
    }
    cx.notice(&format!(
        "{} has not answered an order: if it hires a machine all the same, {} will show it",
        vendor.name().shown(),
        typed(["doppio", vendor.name().as_str(), "orphans"])
    ))
    .await;
    Err(stopped)
}
