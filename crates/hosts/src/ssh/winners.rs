//! Which way to each rented machine won last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Which way to each rented machine won last. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Winners(Arc<Mutex<HashMap<String, &'static str>>>);

impl Winners {
    /// The way that won last.
    pub(in crate::ssh) fn of(&self, id: &str) -> Option<&'static str> {
        self.all().get(id).copied()
    }

    /// Remembers one that won.
    pub(in crate::ssh) fn set(&self, id: &str, way: &'static str) {
        self.all().insert(id.to_owned(), way);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, &'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
