//! A here-document that is still to come.

/// A here-document whose operator was read and whose lines are still to come.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) at: usize,
    pub(super) delimiter: Vec<u8>,
    /// Part of the delimiter is quoted: nothing in the lines is expanded.
    pub(super) quoted: bool,
    /// `<<-`: tabs before a line are nothing.
    pub(super) strips_tabs: bool,
    /// The list that its operator stands in.
    pub(super) scope: usize,
}
