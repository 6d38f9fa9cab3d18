//! Text → Recipe: the grammar, with every fault at its location.
//!
//! [`parse()`] reads the tables and the keys that all steps share, and gives the one remaining key
//! of a step to its kind ([`crate::step::KINDS`]). What names mean is for the plan to say, and
//! the plan also hands on the faults found here, so that a user sees all of them at once.

mod credentials;
mod defaults;
mod forward;
mod model;
mod operation;
mod parse;
mod recovery;
mod retry;
mod step;
mod target;

pub use model::Axis;
pub use model::Defaults;
pub use model::Hosts;
pub use model::Operation;
pub use model::Recipe;
pub use model::RecipeStep;
pub use model::Retry;
pub use model::RunIf;
pub use model::Target;
pub use model::TargetKind;
pub use model::Variable;
pub use parse::parse;
pub use parse::values;
