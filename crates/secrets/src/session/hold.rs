//! Which values are needed, and for how long.
//!
//! A value is remembered as long as it is held. What is leased (credentials that were made for us,
//! the output of a program) is held by the steps that use it: steps that run at the same time share
//! it, and with the last of them it is wiped and given back. Everything else is held until the end
//! of the run.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;

use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::SecretRef;
use crate::SecretValue;
use crate::source::Metadata;

/// A value and where it was.
#[derive(Debug)]
pub(super) struct Fetched {
    pub value: SecretValue,
    /// Its provenance, its end, and the lease that goes when this is dropped.
    pub metadata: Metadata,
    /// It is the default of its reference.
    pub is_default: bool,
    /// The mask knows it.
    pub is_secret: bool,
}

/// One value, fetched once for all who ask together.
pub(super) type Cell = Arc<OnceCell<Fetched>>;

/// Keeps values good for who needs them: no lease is given back before every `Hold` on
/// it is dropped.
#[derive(Default)]
pub struct Hold(Mutex<Vec<Cell>>);

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

impl Hold {
    fn cells(&self) -> MutexGuard<'_, Vec<Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, cell: &Cell) {
        let mut cells = self.cells();
        if !cells.iter().any(|held| Arc::ptr_eq(held, cell)) {
            cells.push(Arc::clone(cell));
        }
    }

    /// Keeps what `other` keeps, too.
    pub(super) fn keep_all(&self, other: &Self) {
        let cells = other.cells().clone();
        for cell in &cells {
            self.keep(cell);
        }
    }

    /// Leaves the leases in it to end by themselves: where each value was made, and when it ends.
    pub(super) fn leave(&self) -> Vec<(String, Option<Timestamp>)> {
        let cells = self.cells();
        let fetched = cells.iter().filter_map(|cell| cell.get());
        let leased = fetched.filter_map(|fetched| Some((fetched, fetched.metadata.lease.as_ref()?)));
        leased
            .filter(|(_, lease)| lease.has_end())
            .map(|(fetched, lease)| (fetched.metadata.place.clone(), lease.leave()))
            .collect()
    }

    /// Whether part of it expires when this is dropped.
    pub(super) fn has_lent(&self) -> bool {
        let lease = |cell: &Cell| cell.get().and_then(|fetched| fetched.metadata.lease.clone());
        self.cells().iter().filter_map(lease).any(|lease| lease.has_end())
    }
}

/// All that is held, by reference.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<SecretRef, Weak<OnceCell<Fetched>>>>);

impl Known {
    fn cells(&self) -> MutexGuard<'_, HashMap<SecretRef, Weak<OnceCell<Fetched>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a value: an empty one if it is not held, or has expired.
    pub(super) fn cell(&self, reference: &SecretRef) -> Cell {
        let mut cells = self.cells();
        let is_good = |cell: &Cell| !cell.get().is_some_and(|fetched| fetched.metadata.is_over());
        if let Some(cell) = cells.get(reference).and_then(Weak::upgrade).filter(is_good) {
            return cell;
        }
        cells.retain(|_, cell| cell.strong_count() > 0);
        let cell = Cell::default();
        cells.insert(reference.clone(), Arc::downgrade(&cell));
        cell
    }

    /// What is held of a reference.
    pub(super) fn get(&self, reference: &SecretRef) -> Option<Cell> {
        self.cells().get(reference).and_then(Weak::upgrade)
    }

    /// What is held under this label.
    pub(super) fn labelled(&self, label: &str) -> Option<Cell> {
        let cells = self.cells();
        let mut found = cells.iter().filter(|(reference, _)| reference.label() == label);
        found.find_map(|(_, cell)| cell.upgrade())
    }
}
