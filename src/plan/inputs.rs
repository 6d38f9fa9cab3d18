//! What a plan depends on besides the recipe.

use doppio_secrets::Environment;
use doppio_text::name::HostId;

/// What a plan depends on besides the recipe.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// Variables from the command line, each once; they stand before those of the recipe.
    pub vars: &'a [(String, String)],
    /// The environment that `${env.NAME}` reads.
    pub env: &'a Environment,
    /// The run's target.
    pub target: Option<&'a HostId>,
    /// The hosts that bear a tag.
    pub tagged: &'a dyn Fn(&str) -> Vec<String>,
    /// The names that hosts set for every step on them.
    pub host_env: &'a [String],
    /// The plan will not be run: what only a run needs (a target, the environment) may be absent.
    pub is_check: bool,
}
