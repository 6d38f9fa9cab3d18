//! A plan as data for people and machines: what would be done, without a value in it.

use std::fmt::Write;

use serde::Serialize;

use crate::plan::Plan;
use crate::plan::PlannedStep;
use crate::plan::Retry;
use crate::step::Site;

/// The form of [`Shown`] in JSON; raised when a reader must know.
pub const SCHEMA: u32 = 1;

/// A whole plan.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The form, [`SCHEMA`].
    pub schema: u32,
    /// The recipe's name.
    pub recipe: String,
    /// The run's target.
    pub target: Option<String>,
    /// What the target must offer, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// The steps, in an order in which they could run one by one.
    pub steps: Vec<ShownStep>,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct ShownStep {
    /// The id.
    pub id: String,
    /// What is shown instead of the id.
    pub name: Option<String>,
    /// The step type.
    pub kind: String,
    /// Ids of the steps it depends on.
    pub needs: Vec<String>,
    /// Ids of the steps it stands for.
    pub members: Vec<String>,
    /// Where it runs, if that is known by now.
    pub host: Option<String>,
    /// Its condition.
    pub when: Option<String>,
    /// `success`, `failure` or `always`.
    pub run_if: &'static str,
    /// Seconds for one attempt.
    pub timeout_secs: Option<u64>,
    /// All attempts together.
    pub max_attempts: u32,
    /// How attempts follow each other, in words.
    pub retry: Option<String>,
    /// Its failure fails neither its dependents nor the run.
    pub continue_on_failure: bool,
    /// What it does: secrets as `‹secret:name›`, what a step will only give as `${…}`.
    pub does: Vec<String>,
    /// The secrets it needs, as the recipe refers to them.
    pub secrets: Vec<String>,
    /// The providers whose credentials it gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// The environment variables under which values will travel.
    pub env_names: Vec<String>,
}

/// Shows a plan.
pub fn show(plan: &Plan) -> Shown {
    Shown {
        schema: SCHEMA,
        recipe: plan.name().to_owned(),
        target: plan.target().map(ToString::to_string),
        asks: plan.asks().words(plan.steps().iter().any(PlannedStep::hires)),
        steps: plan.steps().iter().map(|step| shown(plan, step)).collect(),
    }
}

fn shown(plan: &Plan, step: &PlannedStep) -> ShownStep {
    let ids = |numbers: &[usize]| numbers.iter().map(|number| plan.steps()[*number].id.to_string()).collect();
    ShownStep {
        id: step.id.to_string(),
        name: step.name.clone(),
        kind: step.kind.clone(),
        needs: ids(&step.needs),
        members: ids(&step.members),
        host: match step.site() {
            Site::Nowhere => None,
            Site::Local | Site::Host(_) => step.host.as_ref().map(ToString::to_string),
        },
        when: step.when.as_ref().map(ToString::to_string),
        run_if: step.run_if.as_str(),
        timeout_secs: step.timeout.map(|timeout| timeout.as_secs()),
        max_attempts: step.retry.max_attempts,
        retry: (step.retry.max_attempts > 1).then(|| attempts(&step.retry)),
        continue_on_failure: step.continue_on_failure,
        does: step
            .operation
            .iter()
            .filter(|_| step.members.is_empty())
            .flat_map(|does| does.show())
            .chain(step.forward.iter().map(|port| format!("forward {port}")))
            .collect(),
        secrets: step.secrets.iter().map(ToString::to_string).collect(),
        credentials: step.credentials.iter().map(|(wanted, _)| wanted.to_string()).collect(),
        env_names: step.env_names.iter().map(ToString::to_string).collect(),
    }
}

fn attempts(retry: &Retry) -> String {
    let mut words = format!("{} attempts, {} s apart", retry.max_attempts, retry.delay.as_secs());
    if (retry.backoff - 1.0).abs() > f64::EPSILON {
        write!(words, ", each wait {} times the last", retry.backoff).ok();
    }
    if let Some(longest) = retry.max_delay {
        write!(words, ", at most {} s", longest.as_secs()).ok();
    }
    if retry.jitter {
        words.push_str(", with random jitter");
    }
    words
}
