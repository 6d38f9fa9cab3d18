//! What will be done, as data.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use doppio_secrets::SecretRef;
use doppio_secrets::Wanted;
use doppio_text::Span;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;
use doppio_text::name::StepId;

use crate::plan::Retry;
use crate::plan::RunIf;
use crate::plan::When;
use crate::recipe::Target;
use crate::step::Planned;
use crate::step::Site;

/// What will be done. Only [`build()`](crate::plan::build()) makes one, so every plan is an acyclic
/// graph with every name resolved; so is every one that can be read back. It can be saved and read back; secrets are there as references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedPlan")]
pub struct Plan {
    pub(super) name: String,
    pub(super) steps: Vec<PlannedStep>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) target: Option<HostId>,
    pub(super) asks: Target,
    pub(super) unused_vars: Vec<String>,
}

/// What was read back as a plan.
#[derive(Deserialize)]
struct SavedPlan {
    name: String,
    steps: Vec<PlannedStep>,
    variables: Vec<(String, String)>,
    target: Option<HostId>,
    asks: Target,
    unused_vars: Vec<String>,
}

impl TryFrom<SavedPlan> for Plan {
    type Error = String;

    /// The order of the steps is what makes their graph acyclic.
    fn try_from(saved: SavedPlan) -> Result<Self, String> {
        let SavedPlan { name, steps, variables, target, asks, unused_vars } = saved;
        let mut ids = HashSet::new();
        for (index, step) in steps.iter().enumerate() {
            let id = &step.id;
            if !ids.insert(id) {
                return Err(format!("two steps are called `{id}`"));
            }
            if step.needs.iter().chain(&step.members).chain(&step.reads).any(|other| *other >= index) {
                return Err(format!("step `{id}` stands before one that it needs"));
            }
        }
        Ok(Self { name, steps, variables, target, asks, unused_vars })
    }
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

    /// How many of them do something: those that stand for others are not counted.
    pub fn count(&self) -> usize {
        self.steps.iter().filter(|step| step.members.is_empty()).count()
    }

    /// The recipe's variables that hold ordinary text, with their values at the start.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// A plan of these steps, for the tests of those who run plans.
    #[cfg(test)]
    pub(crate) fn of(steps: Vec<PlannedStep>) -> Self {
        Self {
            name: "test".to_owned(),
            steps,
            variables: Vec::new(),
            target: None,
            asks: Target::default(),
            unused_vars: Vec::new(),
        }
    }

    /// The run's target host.
    pub fn target(&self) -> Option<&HostId> {
        self.target.as_ref()
    }

    /// What the target must offer.
    pub fn asks(&self) -> &Target {
        &self.asks
    }

    /// Variables from the command line that the recipe neither defines nor uses.
    pub fn unused_vars(&self) -> &[String] {
        &self.unused_vars
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its id; `train[lr=1e-3]` for one combination of a matrix.
    pub id: StepId,
    /// What is shown instead of the id.
    pub name: Option<String>,
    /// The step type, as in `ssh_command`.
    pub kind: String,
    /// Indices of the steps it depends on.
    pub needs: Vec<usize>,
    /// Indices of the steps that it stands for: members of a group, or one per host or
    /// combination. A step with members runs nothing itself; it ends when they have ended, and
    /// has failed when one of them has.
    pub members: Vec<usize>,
    /// Runs only if true. The members of a step have its condition as well as their own.
    pub when: Option<When>,
    /// What its needs must have done.
    pub run_if: RunIf,
    /// How often, and how long between.
    pub retry: Retry,
    /// For one attempt.
    pub timeout: Option<Duration>,
    /// Its failure fails neither its dependents nor the run. Where a step has members, its own
    /// flag decides what their failures do to the run.
    pub continue_on_failure: bool,
    /// It may be launched again when its end is not known.
    pub idempotent: bool,
    /// Ports that are open while it or what depends on it runs, as `LOCAL:HOST:PORT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<String>,
    /// What `${host}` means, and where it runs if its operation names no host.
    pub host: Option<HostId>,
    /// The secrets it needs, each once.
    pub secrets: Vec<SecretRef>,
    /// The providers whose credentials it gets, and where the recipe says so.
    pub credentials: Vec<(Wanted, Span)>,
    /// The environment names under which values will travel.
    pub env_names: Vec<EnvName>,
    /// What it does; none of one that stands for the many of `hosts` and `matrix`.
    pub operation: Option<Box<dyn Planned>>,
    /// Indices of the steps whose results its texts refer to.
    pub reads: Vec<usize>,
}

impl PlannedStep {
    /// Whether the run's target is the machine that it hires or starts.
    pub fn makes_target(&self) -> bool {
        self.operation.as_ref().is_some_and(|operation| operation.makes_target())
    }

    /// Whether it hires a machine.
    pub fn hires(&self) -> bool {
        self.operation.as_ref().is_some_and(|operation| operation.hires())
    }

    /// Where it runs.
    pub fn site(&self) -> Site<'_> {
        self.operation.as_ref().map_or(Site::Nowhere, |operation| operation.site())
    }
}
