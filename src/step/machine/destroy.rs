//! `machine_destroy`: ends a machine and all that it costs.

use std::time::Duration;

use doppio_rented::VendorName;

use crate::rentals::told;
use crate::step::HostText;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::fields;
use crate::step::machine::existing::Provider;
use crate::step::machine::existing::existing;
use crate::step::machine::existing::host_of;
use crate::step::machine::existing::in_sandbox;

/// How long a vendor that fails to answer is asked again.
const PATIENCE: Duration = Duration::from_mins(2);

fields! {
    /// Destroys a rented machine with its disk. One that is gone already is done.
    pub(in crate::step) struct MachineDestroy {
        host_id: Option<HostText>,
        /// Whose machine it must be.
        provider: Option<Provider>,
    }
}

fields! {
    /// Destroys a machine of vast.ai with its disk. One that is gone already is done.
    pub(in crate::step) struct VastDestroy {
        host_id: Option<HostText>,
    }
}

impl Operation for MachineDestroy {
    const NAME: &'static str = "machine_destroy";
    const EXAMPLE: &'static str = "machine_destroy = { host_id = \"vast-12345\" }";

    fn show(&self) -> Vec<String> {
        vec!["destroy the machine, with its disk".to_owned()]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        destroy(cx, self.host_id.as_ref(), self.provider.map(VendorName::from)).await
    }
}

impl Operation for VastDestroy {
    const NAME: &'static str = "vast_destroy";
    const EXAMPLE: &'static str = "vast_destroy = { host_id = \"vast-12345\" }";

    fn show(&self) -> Vec<String> {
        vec!["destroy the machine, with its disk".to_owned()]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        destroy(cx, self.host_id.as_ref(), Some(VendorName::Vast)).await
    }
}

async fn destroy(
    cx: &mut StepContext,
    host: Option<&HostText>,
    provider: Option<VendorName>,
) -> Result<Outcome, StepError> {
    if let Some(outcome) = in_sandbox(cx, "destroyed").await {
        return Ok(outcome);
    }
    if host.is_none() && cx.host.is_none() && cx.values.target.is_none() {
        // The plan has a step that makes one, and it came to nothing.
        cx.notice("no machine was hired: there is nothing to destroy").await;
        return Ok(Outcome::success());
    }
    let machine = existing(cx, host, provider).await?;
    cx.progress(&format!("destroying `{}`", machine.id)).await;
    cx.unless_stopped(machine.destroy(PATIENCE)).await?.map_err(|error| told(&error))?;
    cx.report(Report::Returned(host_of(&machine.id)?, 0.0)).await;
    Ok(Outcome::success())
}
