//! `${…}`: text with references.

mod braced;
mod parse;

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use doppio_secrets::SecretRef;
use doppio_text::Span;
use doppio_text::name::EnvName;
use doppio_text::name::StepId;

use crate::step::HostFact;

/// A string of the recipe, cut at its references.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The pieces, in order.
    pub parts: Vec<Part>,
    /// The whole string's location in the recipe.
    pub span: Span,
    /// For a shell's text, the names of its environment that it uses without setting them, with their
    /// locations.
    pub unset: Vec<(String, Span)>,
    /// For a shell's text, the pipes that hide how their first commands end: their last command, and the
    /// location of the bar before it.
    pub pipes: Vec<(String, Span)>,
}

/// What else may stand in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: whatever begins with `${` is a reference.
    Plain,
    /// A shell's own expansions, which pass untouched.
    Shell,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself.
    Text(String),
    /// A reference, and its location in the recipe.
    Reference(Reference, Span),
}

/// What `${…}` can stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// `${name}`, or `${name|q}` with the value quoted for a shell.
    Variable {
        /// The name.
        name: String,
        /// Whether `|q` was written.
        quoted: bool,
    },
    /// `${secret:REF}`.
    Secret(SecretRef),
    /// `${step.ID.FIELD}`.
    Step {
        /// Which step.
        id: StepId,
        /// Which of its results.
        field: StepField,
    },
    /// `${env.NAME}`.
    Env(EnvName),
    /// `${target}`.
    Target,
    /// `${host}`.
    Host,
    /// `host.NAME` of a condition.
    HostFact(HostFact),
    /// `${matrix.NAME}`.
    Matrix(String),
    /// `${run.id}`.
    RunId,
    /// `${recipe.name}`.
    RecipeName,
    /// `${now}`.
    Now,
}

/// What of a step's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepField {
    /// `output` and `stdout`: standard output without its last newline.
    Stdout,
    /// `stderr`: likewise.
    Stderr,
    /// `exit_code`.
    ExitCode,
    /// `status`.
    Status,
    /// `outputs.NAME`.
    Output(String),
}

impl fmt::Display for Reference {
    /// As a recipe writes it, without `${` and `}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable { name, quoted } => write!(f, "{name}{}", if *quoted { "|q" } else { "" }),
            Self::Secret(reference) => write!(f, "secret:{reference}"),
            Self::Step { id, field } => match field {
                StepField::Stdout => write!(f, "step.{id}.output"),
                StepField::Stderr => write!(f, "step.{id}.stderr"),
                StepField::ExitCode => write!(f, "step.{id}.exit_code"),
                StepField::Status => write!(f, "step.{id}.status"),
                StepField::Output(name) => write!(f, "step.{id}.outputs.{name}"),
            },
            Self::Env(name) => write!(f, "env.{name}"),
            Self::Target => f.write_str("target"),
            Self::Host => f.write_str("host"),
            Self::HostFact(fact) => write!(f, "host.{}", fact.name()),
            Self::Matrix(name) => write!(f, "matrix.{name}"),
            Self::RunId => f.write_str("run.id"),
            Self::RecipeName => f.write_str("recipe.name"),
            Self::Now => f.write_str("now"),
        }
    }
}
