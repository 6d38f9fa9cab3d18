//! A step of the plan before its fields are resolved.

use std::rc::Rc;

use doppio_text::name::HostId;
use doppio_text::name::StepId;

/// A step of the plan before its texts are resolved.
#[derive(Debug)]
pub(super) struct Node {
    /// Which step of the recipe it comes from.
    pub step: usize,
    pub id: StepId,
    /// Its host, if its step has `hosts`.
    pub host: Option<HostId>,
    /// Its values, if its step has a `matrix`.
    pub matrix: Rc<[(String, String)]>,
    pub role: Role,
    /// Nodes that it depends on.
    pub needs: Vec<usize>,
    /// Nodes that it stands for.
    pub members: Vec<usize>,
}

/// What a node is of the step it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// All of it.
    Whole,
    /// One of many.
    One,
    /// That which stands for the many.
    Join,
}
