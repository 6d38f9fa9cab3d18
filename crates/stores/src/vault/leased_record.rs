//! Records under a lease, and to whom each goes back.
//!
//! A leased record is one that was made because it was read. All who need it at the same time share
//! it, whichever of its keys they name; the last of them drops it, and that gives it back.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio::sync::RwLock;

use doppio_secrets::source::Leased;

use crate::vault::client::Reply;

/// Who gave the lease.
pub(super) trait Issuer: Debug + Send + Sync {
    /// Nobody needs this lease any more.
    fn take_back(self: Arc<Self>, id: String);

    /// Somebody needs this lease after the run: it ends by itself.
    fn leave(&self, id: &str);
}

/// A leased record, or the slot of one that is being made.
#[derive(Debug, Default)]
pub(super) struct Cell(pub(super) OnceCell<LeasedRecord>);

impl Cell {
    /// The record, if it was made.
    pub(super) fn get(&self) -> Option<&LeasedRecord> {
        self.0.get()
    }
}

/// All leases of this run.
#[derive(Debug, Default)]
pub(super) struct Leases {
    state: Mutex<State>,
    /// Held for reading by everything that borrows or gives back.
    pub(super) work: Arc<RwLock<()>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// By the path that was read, for those who need the same.
    pub(super) leased: HashMap<String, Weak<Cell>>,
    /// Leases that are to be given back, and whether that is being done.
    pub(super) held: HashMap<String, bool>,
    /// Whether one was left to end by itself, as it does with the token that made it.
    pub(super) is_left: bool,
    pub(super) is_closed: bool,
}

/// A record that was made because it was read.
#[derive(Debug)]
pub(super) struct LeasedRecord {
    pub(super) issuer: Arc<dyn Issuer>,
    pub reply: Arc<Reply>,
    /// None where nothing is to be given back.
    pub(super) id: Option<String>,
    /// It is valid until it is no longer needed.
    pub can_last: bool,
    /// When it expires, in seconds since 1970, as far as the server has said.
    pub(super) end: Arc<AtomicI64>,
}

impl Leases {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The leased record of this path, or a slot for one.
    pub(super) fn cell(&self, path: &str) -> Arc<Cell> {
        let mut state = self.state();
        let is_good = |cell: &Arc<Cell>| !cell.get().is_some_and(LeasedRecord::has_ended);
        if let Some(cell) = state.leased.get(path).and_then(Weak::upgrade).filter(is_good) {
            return cell;
        }
        state.leased.retain(|_, cell| cell.strong_count() > 0);
        let cell = Arc::new(Cell::default());
        state.leased.insert(path.to_owned(), Arc::downgrade(&cell));
        cell
    }

    pub(super) fn holds(&self, id: &str) -> bool {
        self.state().held.contains_key(id)
    }

    /// Claims a lease to return it; false if another task does or did.
    pub(super) fn claim(&self, id: &str) -> bool {
        self.state().held.get_mut(id).is_some_and(|is_claimed| !std::mem::replace(is_claimed, true))
    }

    /// Claims all that are not being returned.
    pub(super) fn claim_all(&self) -> Vec<String> {
        let mut state = self.state();
        let free = state.held.iter_mut().filter(|(_, is_claimed)| !**is_claimed);
        free.map(|(id, is_claimed)| {
            *is_claimed = true;
            id.clone()
        })
        .collect()
    }
}

impl LeasedRecord {
    pub(super) fn has_ended(&self) -> bool {
        self.end.load(Ordering::Relaxed) <= Timestamp::now().as_second()
    }

    /// Whether there is something to give back.
    pub(super) fn has_lease(&self) -> bool {
        self.id.is_some()
    }

    /// When it expires, if that can't be extended.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let end = self.end.load(Ordering::Relaxed);
        if self.can_last { None } else { Timestamp::from_second(end).ok() }
    }
}

impl Leased for Cell {
    fn is_over(&self) -> bool {
        self.get().is_some_and(LeasedRecord::has_ended)
    }

    fn has_end(&self) -> bool {
        self.get().is_some_and(LeasedRecord::has_lease)
    }

    fn leave(&self) -> Option<Timestamp> {
        let record = self.get()?;
        record.issuer.leave(record.id.as_deref()?);
        Timestamp::from_second(record.end.load(Ordering::Relaxed)).ok()
    }
}

impl Drop for LeasedRecord {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            Arc::clone(&self.issuer).take_back(id);
        }
    }
}
