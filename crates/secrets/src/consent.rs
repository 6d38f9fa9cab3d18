//! Whose credentials may be handed out, and where they are looked for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::Environment;
use crate::vendor::Discovery;

/// Where providers are looked for, and what may go further than it otherwise might.
#[derive(Debug)]
pub struct Providers {
    pub(crate) discovery: Discovery,
    pub(crate) home: PathBuf,
    pub(crate) consented: BTreeSet<String>,
}

impl Providers {
    /// This environment and this home; `consented` are the providers that may go to hosts that
    /// are not the user's own.
    pub fn new(env: Environment, home: PathBuf, consented: BTreeSet<String>) -> Self {
        Self { discovery: Discovery::new(env, home.clone()), home, consented }
    }
}
