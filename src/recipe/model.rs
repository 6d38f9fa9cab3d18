//! What a recipe says, as data.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use doppio_secrets::Wanted;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::Spanned;
use doppio_text::name::StepId;

use crate::step::Asked;
use crate::step::Parsed;
use crate::step::StepKind;
use crate::step::Template;

/// A recipe as written: what could be read of it, and what is wrong with the rest.
#[derive(Debug, Default)]
pub struct Recipe {
    /// `name` of `[recipe]`.
    pub name: String,
    /// `version` of `[recipe]`.
    pub version: Option<String>,
    /// `description` of `[recipe]`.
    pub description: Option<String>,
    /// `[target]`.
    pub target: Target,
    /// `[variables]`, in order.
    pub variables: Vec<Variable>,
    /// `[defaults]`, as far as it is about steps rather than operations.
    pub defaults: Defaults,
    /// The steps, in order.
    pub steps: Vec<RecipeStep>,
    /// Errors and warnings.
    pub faults: Vec<Diagnostic>,
    /// The text is not TOML: names can't be looked up in the part that was read.
    pub has_syntax_errors: bool,
    /// Ids of steps that could not be read, and variables that those may set: a name among them
    /// is not at fault.
    pub unread: HashSet<String>,
}

/// `[target]`: what the run's host must offer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// `any`, `local`, `vast`, `colab` or `custom`.
    pub kind: TargetKind,
    /// At least so many GPUs.
    pub min_gpus: Option<u64>,
    /// At least so much GPU memory, in GB.
    pub min_memory_gb: Option<f64>,
    /// The GPU's name.
    pub gpu_type: Option<String>,
    /// At most so many dollars an hour.
    pub max_price: Option<f64>,
}

impl Target {
    /// The same for those who hire a machine or look at one.
    pub fn asked(&self) -> Asked {
        Asked {
            min_gpus: self.min_gpus,
            min_memory_gb: self.min_memory_gb,
            gpu_type: self.gpu_type.clone(),
            max_price: self.max_price,
        }
    }

    /// What it asks for, in words. Where no step hires a machine, nobody knows the host's price.
    pub fn words(&self, hires: bool) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.min_gpus.map(|least| format!("{least} GPU{}", if least == 1 { "" } else { "s" })));
        words.extend(self.gpu_type.clone());
        words.extend(self.min_memory_gb.map(|least| format!("{least} GB of GPU memory")));
        let checked = if hires { "" } else { " (not checked: no step hires a machine)" };
        words.extend(self.max_price.map(|most| format!("at most ${most} an hour{checked}")));
        words
    }
}

/// What kind of host a recipe is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Any host.
    #[default]
    Any,
    /// This machine.
    Local,
    /// A rented vast.ai instance.
    Vast,
    /// A Colab notebook.
    Colab,
    /// A host of `hosts.toml`.
    Custom,
}

/// One line of `[variables]`.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The location of the name.
    pub span: Span,
    /// The value; it may hold references.
    pub value: Template,
}

/// `[defaults]` that are about steps. Those about operations have been put into them.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// For steps without `retry`.
    pub retry: Option<Retry>,
    /// For steps without a timeout of their own.
    pub timeout: Option<Duration>,
    /// For steps that name no credentials of their own.
    pub credentials: Vec<(Wanted, Span)>,
}

/// How a failed attempt is followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// All attempts together, at least 1.
    pub max_attempts: u32,
    /// Before the second attempt.
    pub delay: Duration,
    /// The factor by which each further wait grows.
    pub backoff: f64,
    /// The longest wait.
    pub max_delay: Option<Duration>,
    /// Each wait is shortened at random, to between half and all of it.
    pub jitter: bool,
}

impl Retry {
    /// One attempt and no more: a step without `retry`.
    pub const ONCE: Self =
        Self { max_attempts: 1, delay: Duration::ZERO, backoff: 1.0, max_delay: None, jitter: false };
}

/// What a step's needs must have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunIf {
    /// All succeeded.
    #[default]
    Success,
    /// At least one failed.
    Failure,
    /// They have ended, however; on a cancel too.
    Always,
}

impl RunIf {
    /// The word of a recipe for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Always => "always",
        }
    }
}

/// One `[[step]]`.
#[derive(Debug)]
pub struct RecipeStep {
    /// Its id.
    pub id: StepId,
    /// The location of the id.
    pub id_span: Span,
    /// What is shown instead of the id.
    pub name: Option<String>,
    /// What it depends on, as written.
    pub depends_on: Vec<Spanned<String>>,
    /// Its condition.
    pub when: Option<Template>,
    /// What its needs must have done.
    pub run_if: RunIf,
    /// How often it is tried.
    pub retry: Option<Retry>,
    /// For one attempt.
    pub timeout: Option<Duration>,
    /// Its failure fails neither its dependents nor the run.
    pub continue_on_failure: bool,
    /// It may be launched again when its end is not known.
    pub idempotent: bool,
    /// Ports that are open while it or what depends on it runs, as `LOCAL:HOST:PORT`.
    pub forward: Vec<Spanned<String>>,
    /// Once per host.
    pub hosts: Option<Hosts>,
    /// Once per combination.
    pub matrix: Vec<Axis>,
    /// The providers whose credentials it gets; none if it says nothing of them.
    pub credentials: Option<Vec<(Wanted, Span)>>,
    /// What it does; none when that could not be read.
    pub operation: Option<Operation>,
}

/// The one key of a step that says what it does.
#[derive(Debug)]
pub struct Operation {
    /// The step type.
    pub kind: &'static StepKind,
    /// The location of the key that names it.
    pub span: Span,
    /// The location of each of its fields that the recipe or its `[defaults]` give.
    pub field_spans: Vec<(&'static str, Span)>,
    /// What stands there: planned once for each step that it stands for.
    pub parsed: Box<dyn Parsed>,
}

/// `hosts` of a step.
#[derive(Debug, Clone)]
pub enum Hosts {
    /// These, by name.
    List(Vec<Template>),
    /// All that bear a tag.
    Tagged {
        /// The tag, without `@`.
        tag: String,
        /// The location of the value.
        span: Span,
    },
}

/// One key of `matrix`.
#[derive(Debug, Clone)]
pub struct Axis {
    /// The name, as in `${matrix.NAME}`.
    pub name: String,
    /// The location of the name.
    pub span: Span,
    /// Its values; at least one.
    pub values: Vec<String>,
}
