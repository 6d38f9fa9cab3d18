//! What all clones of a mask and all its streams have in common.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::mask::known::Known;
use crate::mask::registry::Registry;

/// What all clones of a mask and all its streams have in common.
#[derive(Default)]
pub(super) struct Shared {
    registry: Mutex<Registry>,
    known: RwLock<Arc<Known>>,
    /// Raised with each change of the registry.
    version: AtomicU64,
    closed: AtomicBool,
}

/// Closes the mask unless it came to its end, come what may: nothing leaves any more then.
pub(super) struct Guard<'a> {
    shared: &'a Shared,
    disarmed: bool,
}

impl Guard<'_> {
    pub(super) fn disarm(mut self) {
        self.disarmed = true;
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.disarmed {
            self.shared.closed.store(true, Ordering::Release);
        }
    }
}

impl Shared {
    /// For one text that is looked through apart from all others.
    pub(super) fn apart(known: Arc<Known>) -> Self {
        let version = AtomicU64::new(known.version());
        Self { known: RwLock::new(known), version, ..Self::default() }
    }

    pub(super) fn guard(&self) -> Guard<'_> {
        Guard { shared: self, disarmed: false }
    }

    /// All that was registered. After a panic the mask is closed, so what is in it matters no more.
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the registry was changed; with it locked.
    pub(super) fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// What is ready to be searched for. A lock that a panic left behind holds a state that is whole.
    pub(super) fn ready(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known now, made ready if it is not.
    pub(super) fn known(&self) -> Arc<Known> {
        let known = self.ready();
        if known.version() == self.version() {
            return known;
        }
        let registry = self.registry();
        let version = self.version();
        let known = self.ready();
        if known.version() == version {
            return known;
        }
        let guard = self.guard();
        let known = Arc::new(registry.known(version));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        guard.disarm();
        known
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
