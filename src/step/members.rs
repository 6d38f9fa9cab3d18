//! The steps that a group stands for.

use doppio_text::Spanned;

/// A group's members, and how they run.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// Their ids, with the location of each in the recipe.
    pub ids: &'a [Spanned<String>],
    /// One after the other rather than all at once.
    pub sequential: bool,
}
