//! Where an operation runs.

use crate::step::HostText;

/// Where an operation runs.
#[derive(Debug, Clone, Copy)]
pub enum Site<'a> {
    /// It needs no host.
    Nowhere,
    /// This machine.
    Local,
    /// The host that the field names; the run's target if it names none.
    Host(Option<&'a HostText>),
}
