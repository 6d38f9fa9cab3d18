//! Hosts may ask for more in the middle of a contract: that is said once, while the run goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use doppio_secrets::Mask;
use doppio_text::name::HostId;
use doppio_text::name::StepId;

use crate::engine::dispatcher::Dispatcher;
use crate::rentals::Rentals;
use crate::step::Report;

/// Between two questions.
const PAUSE: Duration = Duration::from_mins(5);

impl Dispatcher<'_> {
    /// Looks after the price of a machine, until the run is over.
    pub(super) fn watch_price(&mut self, index: usize, machine: HostId) {
        let rentals = Arc::clone(&self.options.rentals);
        self.attempts.spawn(watch(rentals, machine, self.mask(), self.id(index), self.reporter.clone()));
    }
}

async fn watch(
    rentals: Arc<Rentals>,
    machine: HostId,
    mask: Mask,
    step: StepId,
    reports: mpsc::Sender<(StepId, Report)>,
) {
    let mut told = BTreeSet::new();
    loop {
        // What can't be asked now is asked again.
        let rise = rentals.price_rise(machine.as_str()).await.ok().flatten();
        if let Some(rise) = rise.filter(|rise| told.insert(rise.id.clone())) {
            let text = format!(
                "the host of `{machine}` wants {} an hour in place of {}: accept or reject that at \
                 https://cloud.vast.ai/instances/",
                rise.to, rise.from
            );
            if reports.send((step.clone(), Report::Notice(mask.text(&text)))).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
