//! Recipe → Plan: every name resolved, every reference checked and rewritten, no cycle.

mod when;

use std::time::Duration;

use crate::name::EnvName;
use crate::name::HostId;
use crate::name::StepId;
use crate::secret::SecretRef;
use crate::step::Step;

pub use crate::recipe::Retry;
pub use crate::recipe::RunIf;
pub use when::When;

/// What will be done. Its one maker is `plan::build`, so whoever holds a plan holds an acyclic
/// graph with every name resolved.
#[derive(Debug)]
pub struct Plan {
    pub(in crate::plan) name: String,
    pub(in crate::plan) steps: Vec<PlannedStep>,
    pub(in crate::plan) variables: Vec<(String, String)>,
    pub(in crate::plan) target: Option<HostId>,
}

impl Plan {
    /// The recipe's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps in an order in which they could run one by one: a step's needs and members stand
    /// before it; otherwise the recipe's order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// The recipe's variables that hold ordinary text, with their values at the start.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// A plan of these steps, for the tests of those who run plans.
    #[cfg(test)]
    pub(crate) fn of(steps: Vec<PlannedStep>) -> Self {
        Self { name: "test".to_owned(), steps, variables: Vec::new(), target: None }
    }

    /// The run's target host.
    pub fn target(&self) -> Option<&HostId> {
        self.target.as_ref()
    }
}

/// One step of a plan.
#[derive(Debug)]
pub struct PlannedStep {
    /// Its id; `train[lr=1e-3]` for one combination of a matrix.
    pub id: StepId,
    /// What is shown instead of the id.
    pub name: Option<String>,
    /// The step type, as in `ssh_command`.
    pub kind: &'static str,
    /// Indices of the steps it depends on.
    pub needs: Vec<usize>,
    /// Indices of the steps that it stands for: members of a group, or one per host or
    /// combination. A step with members runs nothing itself; it ends when they have ended, and
    /// has failed when one of them has.
    pub members: Vec<usize>,
    /// Runs only if true.
    pub when: Option<When>,
    /// What its needs must have done.
    pub run_if: RunIf,
    /// How often, and how long between.
    pub retry: Retry,
    /// For one attempt.
    pub timeout: Option<Duration>,
    /// Its failure fails neither its dependents nor the run.
    pub continue_on_failure: bool,
    /// What `${host}` means, and where it runs if its operation names no host.
    pub host: Option<HostId>,
    /// The secrets it needs, each once.
    pub secrets: Vec<SecretRef>,
    /// The environment names under which values will travel.
    pub env_names: Vec<EnvName>,
    /// What it does.
    pub operation: Box<dyn Step>,
}
