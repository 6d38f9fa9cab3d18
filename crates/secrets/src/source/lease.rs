//! What a source made for whoever asked, and what goes when nobody needs it any more.

use std::fmt;
use std::sync::Arc;

/// Something that is there because it was asked for: credentials with an end, what a program
/// printed. Only those who need it at the same time share it, and it is given back when the last clone of
/// this is dropped.
#[derive(Clone)]
pub struct Lease(Arc<dyn Lent>);

/// What stands behind a [`Lease`]. To drop it is to give it back.
pub trait Lent: Send + Sync {
    /// Whether it has stopped being good.
    fn is_over(&self) -> bool {
        false
    }

    /// Whether it stops being good when it is given back.
    fn has_end(&self) -> bool {
        true
    }
}

impl Lease {
    /// The lease of what is given back when `lent` is dropped.
    pub fn new(lent: Arc<dyn Lent>) -> Self {
        Self(lent)
    }

    /// Whether what was lent has stopped being good.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Whether what was lent stops being good when it is given back.
    pub fn has_end(&self) -> bool {
        self.0.has_end()
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
