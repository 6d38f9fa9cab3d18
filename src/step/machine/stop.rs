//! `machine_stop`: halts a machine; its disk is kept and paid for.

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

fields! {
    /// Stops a rented machine. Its disk is kept, and paid for until it is destroyed.
    pub(in crate::step) struct MachineStop {
        host_id: Option<HostText>,
        /// Whose machine it must be.
        provider: Option<Provider>,
    }
}

fields! {
    /// Stops a machine of vast.ai. Its disk is kept, and paid for until it is destroyed.
    pub(in crate::step) struct VastStop {
        host_id: Option<HostText>,
    }
}

impl Operation for MachineStop {
    const NAME: &'static str = "machine_stop";
    const EXAMPLE: &'static str = "machine_stop = { host_id = \"vast-12345\" }";

    fn show(&self) -> Vec<String> {
        vec!["stop the machine; its disk is paid for until it is destroyed".to_owned()]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        stop(cx, self.host_id.as_ref(), self.provider.map(VendorName::from)).await
    }
}

impl Operation for VastStop {
    const NAME: &'static str = "vast_stop";
    const EXAMPLE: &'static str = "vast_stop = { host_id = \"vast-12345\" }";

    fn show(&self) -> Vec<String> {
        vec!["stop the machine; its disk is paid for until it is destroyed".to_owned()]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        stop(cx, self.host_id.as_ref(), Some(VendorName::Vast)).await
    }
}

async fn stop(
    cx: &mut StepContext,
    host: Option<&HostText>,
    provider: Option<VendorName>,
) -> Result<Outcome, StepError> {
    if let Some(outcome) = in_sandbox(cx, "stopped").await {
        return Ok(outcome);
    }
    let machine = existing(cx, host, provider).await?;
    cx.progress(&format!("stopping `{}`", machine.id)).await;
    cx.unless_stopped(machine.vendor.stop(&machine.id)).await?.map_err(|error| told(&error))?;
    // What its disk costs is not worth a failure.
    let disk = cx.unless_stopped(machine.vendor.show(&machine.id)).await?.ok();
    let disk = disk.and_then(|machine| machine.stopped_per_day).map_or(0.0, |day| day.0 / 24.0);
    cx.report(Report::Returned(host_of(&machine.id)?, disk)).await;
    Ok(Outcome::success())
}
