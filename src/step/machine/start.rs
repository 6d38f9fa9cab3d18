//! `machine_start`: starts a machine that was stopped, and waits until steps can run on it.

use std::time::Duration;

use doppio_rented::MachineState;
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
use crate::step::machine::ready;

fields! {
    /// Starts a rented machine that is stopped, and waits until steps can run on it. It is the run's target
    /// from then on. One that runs is done as soon as it lets us in.
    pub(in crate::step) struct MachineStart {
        host_id: Option<HostText>,
        /// Whose machine it must be.
        provider: Option<Provider>,
        /// Seconds until it must be ready.
        ready_timeout_secs: u64 = 1200,
    }
}

fields! {
    /// Starts a machine of vast.ai that is stopped, and waits until steps can run on it. It is the run's
    /// target from then on. One that runs is done as soon as it lets us in.
    pub(in crate::step) struct VastStart {
        host_id: Option<HostText>,
        /// Seconds until it must be ready.
        ready_timeout_secs: u64 = 1200,
    }
}

impl Operation for MachineStart {
    const NAME: &'static str = "machine_start";
    const EXAMPLE: &'static str = "machine_start = { host_id = \"vast-12345\" }";

    fn makes_target(&self) -> bool {
        true
    }

    fn show(&self) -> Vec<String> {
        vec![format!("start the machine, and wait until it is ready (at most {} s)", self.ready_timeout_secs)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let limit = Duration::from_secs(self.ready_timeout_secs);
        start(cx, self.host_id.as_ref(), self.provider.map(VendorName::from), limit).await
    }
}

impl Operation for VastStart {
    const NAME: &'static str = "vast_start";
    const EXAMPLE: &'static str = "vast_start = { host_id = \"vast-12345\" }";

    fn makes_target(&self) -> bool {
        true
    }

    fn show(&self) -> Vec<String> {
        vec![format!("start the machine, and wait until it is ready (at most {} s)", self.ready_timeout_secs)]
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        let limit = Duration::from_secs(self.ready_timeout_secs);
        start(cx, self.host_id.as_ref(), Some(VendorName::Vast), limit).await
    }
}

async fn start(
    cx: &mut StepContext,
    host: Option<&HostText>,
    provider: Option<VendorName>,
    limit: Duration,
) -> Result<Outcome, StepError> {
    if let Some(outcome) = in_sandbox(cx, "started").await {
        return Ok(outcome);
    }
    let machine = existing(cx, host, provider).await?;
    let found = cx.unless_stopped(machine.vendor.show(&machine.id)).await?.map_err(|error| told(&error))?;
    if !matches!(found.state, MachineState::Running | MachineState::Loading | MachineState::Creating) {
        cx.progress(&format!("starting `{}`", machine.id)).await;
        cx.unless_stopped(machine.vendor.start(&machine.id)).await?.map_err(|error| told(&error))?;
    }
    let per_hour = found.per_hour.map(|per_hour| per_hour.0);
    cx.report(Report::Rented(host_of(&machine.id)?, per_hour)).await;
    let seen = ready::wait(cx, &machine, limit).await.map_err(|error| ready::kept(&machine.id, error))?;
    Ok(Outcome { outputs: seen.outputs(&machine.id, per_hour), ..Outcome::success() })
}
