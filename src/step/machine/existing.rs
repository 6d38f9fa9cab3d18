//! The machine that a step means: by its host id, else the run's target.

use std::sync::Arc;
use std::time::Duration;

use doppio_hosts::HostError;
use doppio_rented::MachineId;
use doppio_rented::RentedError;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_text::name::HostId;

use crate::step::HostText;
use crate::step::Outcome;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Value;
use crate::step::field::choice;

/// Between two tries to destroy a machine.
const PAUSE: Duration = Duration::from_secs(1);

choice! {
    /// Who hires machines out.
    pub(in crate::step) enum Provider {
        /// vast.ai.
        Vast = "vast",
        /// `RunPod`.
        Runpod = "runpod",
        /// Lambda Cloud.
        Lambda = "lambda",
    }
}

impl From<Provider> for VendorName {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Vast => Self::Vast,
            Provider::Runpod => Self::Runpod,
            Provider::Lambda => Self::Lambda,
        }
    }
}

/// A machine, and who hires it out.
pub(super) struct Existing {
    pub id: MachineId,
    pub vendor: Arc<dyn Vendor>,
}

/// What becomes of a step in the sandbox, which stands for all machines; none elsewhere.
pub(super) async fn in_sandbox(cx: &StepContext, done: &str) -> Option<Outcome> {
    if !cx.rentals.is_in_sandbox() {
        return None;
    }
    cx.notice(&format!("in the sandbox, nothing is {done}")).await;
    let all = [("host", "sandbox"), ("id", "sandbox"), ("price", "0"), ("gpus", "0"), ("gpu", "")];
    let outputs = all.map(|(name, value)| (name.to_owned(), Value::Plain(value.to_owned())));
    Some(Outcome { outputs: outputs.into(), ..Outcome::success() })
}

/// The machine that a field names, or the run's target; `provider` is whose it must be.
pub(super) async fn existing(
    cx: &StepContext,
    host: Option<&HostText>,
    provider: Option<VendorName>,
) -> Result<Existing, StepError> {
    let named = cx.host_id(host)?;
    let id: MachineId = named.as_str().parse().map_err(|_| {
        StepError::hinted(
            format!("`{named}` is not a rented machine"),
            "name one by its id, as in `host_id = \"vast-12345\"`",
        )
    })?;
    if let Some(provider) = provider.filter(|provider| *provider != id.vendor) {
        return Err(StepError::failed(format!("`{id}` is not a machine of {}", provider.shown())));
    }
    let vendor = cx.unless_stopped(cx.rentals.vendor(id.vendor)).await?.map_err(HostError::from)?;
    Ok(Existing { id, vendor })
}

impl Existing {
    /// Destroys it. A vendor that fails to answer is asked again for as long as `patience`: what is not
    /// destroyed costs.
    pub(super) async fn destroy(&self, patience: Duration) -> Result<(), RentedError> {
        let mut last = None;
        let tries = async {
            loop {
                match self.vendor.destroy(&self.id).await {
                    Err(error) if error.may_pass() => last = Some(error),
                    done => return done,
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let done = tokio::time::timeout(patience, tries).await;
        let late = || RentedError::Late { vendor: self.id.vendor, seconds: patience.as_secs() };
        done.unwrap_or_else(|_| Err(last.unwrap_or_else(late)))
    }
}

/// The host that a machine is.
pub(super) fn host_of(id: &MachineId) -> Result<HostId, StepError> {
    let parsed = id.to_string().parse();
    parsed.map_err(|error: doppio_text::name::InvalidName| StepError::failed(error.to_string()))
}
