//! Conditions: what `wait_condition` and `assert` look at.

mod declare;
mod kinds;
mod look;
mod read;

pub(super) use kinds::Condition;
pub use read::conditions;
