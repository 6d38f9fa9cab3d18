//! What a source created for the caller, and what ends when it is no longer needed.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Something that was created by being read: credentials with an expiry, what a program printed.
/// Only those who need it at the same time share it, and it is returned when the last clone is
/// dropped.
#[derive(Clone)]
pub struct Lease(Arc<dyn Leased>);

/// What a [`Lease`] holds. Dropping it returns it.
pub trait Leased: Send + Sync {
    /// Whether it has expired.
    fn is_over(&self) -> bool {
        false
    }

    /// Whether it expires when it is returned.
    fn has_end(&self) -> bool {
        true
    }

    /// From now on nobody returns it: it lasts until it expires by itself. Says when, where that is
    /// known.
    fn leave(&self) -> Option<Timestamp> {
        None
    }
}

impl Lease {
    /// The lease of what is given back when `leased` is dropped.
    pub fn new(leased: Arc<dyn Leased>) -> Self {
        Self(leased)
    }

    /// Whether it has expired.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Whether what it holds expires when it is returned.
    pub fn has_end(&self) -> bool {
        self.0.has_end()
    }

    /// From now on nobody returns what it holds: that lasts until it expires by itself. Says when,
    /// where that is known.
    pub fn leave(&self) -> Option<Timestamp> {
        self.0.leave()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// Two are the same if what they stand for is.
impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Lease {}
