//! A byte of text that waits until it is known whether it is part of an escape.

/// A byte of text that may be part of an escape.
#[derive(Clone, Copy, Default)]
pub(super) struct Waiting {
    pub(super) place: u64,
    pub(super) unseen: u64,
    pub(super) broken: bool,
    pub(super) skipped: bool,
}
