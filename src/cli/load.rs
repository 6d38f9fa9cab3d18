//! A recipe's file → its plan: what `run`, `plan` and `check` share.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::host::HostsFile;
use crate::plan::Plan;
use crate::text::Diagnostic;
use crate::text::Source;

/// Which recipe, with which values, and how much of it.
#[derive(Debug, clap::Args)]
pub(super) struct RecipeArgs {
    /// The recipe's file
    pub recipe: PathBuf,
    /// Set a variable of the recipe
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Set variables from a TOML file of `NAME = VALUE` lines
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// The target: the host of every step that names none
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Leave out all steps but this one
    #[arg(long, value_name = "STEP", conflicts_with = "from")]
    pub only: Vec<String>,
    /// Leave out all steps but this one and those that depend on it
    #[arg(long, value_name = "STEP")]
    pub from: Vec<String>,
    /// Leave out this step
    #[arg(long, value_name = "STEP")]
    pub skip: Vec<String>,
}

/// A recipe that can run.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its text.
    pub source: Source,
    /// What will be done.
    pub plan: Plan,
    /// What is to be said about it and does not stop it.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a recipe's file and plans it, without touching a host or a secret.
///
/// # Errors
///
/// When the file can't be read (3), or anything about it is wrong (2, all faults with places).
pub(super) fn load(args: &RecipeArgs, context: &Context, hosts: &HostsFile) -> Result<Loaded, CliError> {
    let _ = (args, context, hosts);
    unimplemented!("SKELETON")
}
