//! The machine that a step means: by its host id, else the run's target.

use std::sync::Arc;

use doppio_hosts::HostError;
use doppio_rented::MachineId;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_text::name::HostId;

use crate::step::HostText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::choice;

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

/// The host that a machine is.
pub(super) fn host_of(id: &MachineId) -> Result<HostId, StepError> {
    let parsed = id.to_string().parse();
    parsed.map_err(|error: doppio_text::name::InvalidName| StepError::failed(error.to_string()))
}
