//! Recipe → Plan: every name resolved, every reference checked and rewritten, no cycle.
//!
//! [`build()`] goes through stages, each in a file of its own: steps that stand for several are
//! multiplied (`expand`), groups hand their needs to their members (`groups`), the graph is
//! ordered or its cycles are named (`order`), and the texts of every step are resolved
//! (`fields`), where each name is looked up (`variables`) and each step that a text refers to must
//! have ended by then (`ancestry`). Shell text that may do what nobody meant is warned of
//! (`shell_text`).

mod ancestry;
mod build;
mod expand;
mod fields;
mod graph;
mod groups;
mod inputs;
mod model;
mod node;
mod order;
pub mod outline;
mod ports;
mod select;
mod shell_text;
mod steps;
mod variables;
mod when;

pub use crate::recipe::Retry;
pub use crate::recipe::RunIf;
pub use build::build;
pub use inputs::Inputs;
pub use model::Plan;
pub use model::PlannedStep;
pub use select::SelectError;
pub use select::Selection;
pub(crate) use steps::refused_file;
pub use when::When;
