//! Where an operation runs, and what it stands for.

use doppio_text::Spanned;

use crate::step::HostText;

/// Where an operation runs.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// It needs no host.
    Nowhere,
    /// This machine.
    Local,
    /// The host that the field names; the run's target if it names none.
    Host(Option<&'a HostText>),
}

/// A group's members.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Ids of the members, with the place of each in the recipe.
    pub members: &'a [Spanned<String>],
    /// One after the other rather than all at once.
    pub sequential: bool,
}
