//! What a step type is: its fields, and what it does.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::step::Members;
use crate::step::Outcome;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Fields;

/// What a step does: the planned form of its fields, which [`fields!`](crate::step::field::fields)
/// declares, and what to do with them.
pub(in crate::step) trait Operation:
    Fields + Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The key that names it in a recipe.
    const NAME: &'static str;

    /// A whole one, as in `sleep = { duration_secs = 5 }`.
    const EXAMPLE: &'static str;

    /// Where it runs: where its fields say.
    fn site(&self) -> Site<'_> {
        Fields::site(self).unwrap_or(Site::Nowhere)
    }

    /// For a group: its members and how they run.
    fn members(_: &Self::Parsed) -> Option<Members<'_>> {
        None
    }

    /// What is wrong with its fields together, as (field, message).
    fn faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The lines that a dry run shows: those of its fields.
    fn show(&self) -> Vec<String> {
        self.lines()
    }

    /// Does it. `Err` is for what Doppio could not do; a command that ran and failed is an `Ok`.
    fn run(&self, cx: &mut StepContext) -> impl Future<Output = Result<Outcome, StepError>> + Send;
}
