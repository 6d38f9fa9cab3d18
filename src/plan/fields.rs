//! The texts of one step: every reference looked up, what is known put in, shell text rewritten.

mod fixed;
mod look_up;
mod planning;
mod resolver;
mod travel;

pub(super) use fixed::fixed_text;
pub(super) use planning::Planning;
pub(super) use planning::invalid;
pub(super) use resolver::Fact;
pub(super) use resolver::Question;
pub(super) use resolver::Resolver;
pub(super) use travel::Travel;
