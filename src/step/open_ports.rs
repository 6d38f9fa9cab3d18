//! What keeps the ports of a step open.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use doppio_hosts::Forwarding;

/// The ports that a step has open, in all its attempts. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct OpenPorts(Arc<Mutex<Option<Forwarding>>>);

impl OpenPorts {
    /// Closes them, and every connection through them.
    pub(crate) fn close(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether an attempt has opened them.
    pub(in crate::step) fn are_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Keeps them open.
    pub(in crate::step) fn keep(&self, forwarding: Forwarding) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(forwarding);
    }
}
