//! What all clones of a mask and all its streams have in common.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::mask::known::Known;

/// What all clones of a mask and all its streams have in common.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) known: RwLock<Arc<Known>>,
    pub(super) version: AtomicU64,
    pub(super) closed: AtomicBool,
}

impl Shared {
    /// What is known now. A lock that a panic left behind holds a state that is whole.
    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
