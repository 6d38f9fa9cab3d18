//! Where the hosts of a plan are, looked up before a run.

use std::collections::BTreeSet;
use std::path::Path;

use doppio_hosts as host;
use doppio_hosts::HostError;
use doppio_hosts::HostsFile;
use doppio_hosts::Route;
use doppio_text::name::HostId;

use crate::cli::error::CliError;
use crate::plan::Plan;
use crate::plan::PlannedStep;
use crate::step::Site;

/// A host, and where its name leads.
pub(super) type Routed = (HostId, Result<Route, HostError>);

/// A host that only the run can know.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Later {
    /// As the recipe writes it.
    pub text: String,
    /// The steps that use it.
    pub step: String,
}

/// Where each host of a plan is. Nothing is connected to.
pub(super) async fn routes(plan: &Plan, hosts: &HostsFile, home: &Path, is_sandbox: bool) -> Vec<Routed> {
    let named: BTreeSet<&HostId> = working(plan).filter_map(|step| step.host.as_ref()).collect();
    let mut found = Vec::with_capacity(named.len());
    for id in named {
        let route = if is_sandbox { Ok(host::sandbox_route()) } else { host::route(hosts, home, id).await };
        found.push((id.clone(), route));
    }
    found
}

/// The hosts that steps make known: they can't be looked up before.
pub(super) fn later(plan: &Plan) -> BTreeSet<Later> {
    working(plan)
        .filter_map(|step| match step.site() {
            Site::Host(Some(host)) if step.host.is_none() => {
                Some(Later { text: host.0.to_string(), step: step.id.to_string() })
            }
            _ => None,
        })
        .collect()
}

/// Refuses a run whose hosts are not all to be found.
pub(super) fn check(routes: Vec<Routed>) -> Result<(), CliError> {
    let mut errors: Vec<HostError> = routes.into_iter().filter_map(|(_, route)| route.err()).collect();
    match errors.len() {
        0 => Ok(()),
        1 => Err(CliError::from(errors.remove(0)).cause("nothing has run")),
        count => {
            let mut all = CliError::world(format!("{count} hosts can't be found; nothing has run"));
            for error in errors {
                all.causes.push(error.message);
                all.hints.extend(error.hint.filter(|hint| !all.hints.contains(hint)));
            }
            Err(all)
        }
    }
}

/// The steps that do something on a host or on this machine.
fn working(plan: &Plan) -> impl Iterator<Item = &PlannedStep> {
    plan.steps().iter().filter(|step| step.members.is_empty() && !matches!(step.site(), Site::Nowhere))
}
