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
use crate::rentals::ByName;
use crate::step::Site;

/// A host, and where its name leads.
pub(super) type Routed = (HostId, Result<Route, HostError>);

/// A host that only the run can know.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Later {
    /// As the recipe writes it.
    pub text: String,
    /// When it is known, in words.
    pub when: String,
}

/// The hosts of a plan.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Those that can be looked up before the run.
    pub routed: Vec<Routed>,
    /// Those that can't.
    pub later: BTreeSet<Later>,
}

/// Where each host of a plan is. Nothing is connected to.
pub(super) async fn routes(plan: &Plan, hosts: &HostsFile, home: &Path, is_sandbox: bool) -> Hosts {
    let named: BTreeSet<&HostId> = working(plan).filter_map(|step| step.host.as_ref()).collect();
    let mut found = Hosts { routed: Vec::with_capacity(named.len()), later: unnamed(plan) };
    for id in named {
        let route = if is_sandbox {
            Ok(host::sandbox_route())
        } else {
            host::route(hosts, home, Some(&ByName), id).await
        };
        match waiting(plan, id) {
            // It need not have its name before the step that makes it.
            Some(step) if route.is_err() => {
                let when = format!("not to be found yet; step `{}` waits for it", step.id);
                found.later.insert(Later { text: id.to_string(), when });
            }
            _ => found.routed.push((id.clone(), route)),
        }
    }
    found
}

/// The hosts whose names steps make.
fn unnamed(plan: &Plan) -> BTreeSet<Later> {
    working(plan)
        .filter_map(|step| match step.site() {
            Site::Host(Some(host)) if step.host.is_none() => {
                let when = format!("known when step `{}` starts", step.id);
                Some(Later { text: host.0.to_string(), when })
            }
            _ => None,
        })
        .collect()
}

/// The step that waits for a host, if there is one.
fn waiting<'a>(plan: &'a Plan, id: &HostId) -> Option<&'a PlannedStep> {
    working(plan).find(|step| step.kind == "wait_condition" && step.host.as_ref() == Some(id))
}

/// Refuses a run whose hosts are not all to be found.
pub(super) fn check(hosts: Hosts) -> Result<(), CliError> {
    let mut errors: Vec<HostError> = hosts.routed.into_iter().filter_map(|(_, route)| route.err()).collect();
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
