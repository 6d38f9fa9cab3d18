//! Where a host is and how secrets would travel to it, for the plan: nothing is connected to.

use std::path::Path;

use doppio_text::name::HostId;

use crate::CarrierChoice;
use crate::HostError;
use crate::HostsFile;
use crate::RentedMachines;
use crate::Trust;
use crate::resolve::Resolver;
use crate::resolve::Target;

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// As in `root@10.0.0.7:22`, or "this machine".
    pub place: String,
    /// Which way secrets travel, in words.
    pub carrier: &'static str,
    /// Who else has root on it; none for this machine.
    pub trust: Option<Trust>,
}

/// Looks a host's name up.
///
/// # Errors
///
/// When it is unknown, with similar names; when `ssh_config` has a fault.
pub async fn route(
    hosts: &HostsFile,
    home: &Path,
    rented: Option<&dyn RentedMachines>,
    id: &HostId,
) -> Result<Route, HostError> {
    Ok(match (Resolver { hosts, home, rented }).resolve(id).await? {
        Target::Local => {
            Route { place: "this machine".to_owned(), carrier: "environment of the process", trust: None }
        }
        Target::Sandbox => sandbox(),
        Target::Ssh(spec) => Route {
            place: spec.place(),
            carrier: match spec.carrier() {
                CarrierChoice::Auto => "channel where the server takes the name, else preamble",
                CarrierChoice::Channel => "channel",
                CarrierChoice::Preamble => "preamble",
            },
            trust: Some(spec.trust),
        },
    })
}

/// The sandbox, whatever the name.
pub fn sandbox() -> Route {
    Route {
        place: "the sandbox".to_owned(),
        carrier: "channel where the server takes the name, else preamble",
        trust: Some(Trust::Owned),
    }
}
