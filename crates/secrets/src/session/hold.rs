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
pub struct Hold(Mutex<HashMap<usize, Cell>>);

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

impl Hold {
    fn cells(&self) -> MutexGuard<'_, HashMap<usize, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, cell: &Cell) {
        // By its address: as long as it is held here, no other has the same.
        self.cells().entry(Arc::as_ptr(cell).addr()).or_insert_with(|| Arc::clone(cell));
    }

    /// Keeps what `other` keeps, too.
    pub(super) fn keep_all(&self, other: &Self) {
        let cells = other.cells().clone();
        self.cells().extend(cells);
    }

    /// Leaves the leases in it to end by themselves: where each value was made, and when it ends.
    pub(super) fn leave(&self) -> Vec<(String, Option<Timestamp>)> {
        let cells = self.cells();
        let fetched = cells.values().filter_map(|cell| cell.get());
        let leased = fetched.filter_map(|fetched| Some((fetched, fetched.metadata.lease.as_ref()?)));
        leased
            .filter(|(_, lease)| lease.has_end())
            .map(|(fetched, lease)| (fetched.metadata.place.clone(), lease.leave()))
            .collect()
    }

    /// Whether part of it expires when this is dropped.
    pub(super) fn has_lent(&self) -> bool {
        let lease = |cell: &Cell| cell.get().and_then(|fetched| fetched.metadata.lease.clone());
        self.cells().values().filter_map(lease).any(|lease| lease.has_end())
    }
}

/// All that is held, by reference and by label.
#[derive(Default)]
pub(super) struct Known(Mutex<Cells>);

#[derive(Default)]
struct Cells {
    by_reference: HashMap<SecretRef, Weak<OnceCell<Fetched>>>,
    by_label: HashMap<String, SecretRef>,
    /// So many are looked through for those that are gone.
    full: usize,
}

impl Cells {
    fn labelled(&self, label: &str) -> Option<Cell> {
        self.by_reference.get(self.by_label.get(label)?)?.upgrade()
    }
}

impl Known {
    fn cells(&self) -> MutexGuard<'_, Cells> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a value: an empty one if it is not held, or has expired.
    pub(super) fn cell(&self, reference: &SecretRef) -> Cell {
        let mut cells = self.cells();
        let is_good = |cell: &Cell| !cell.get().is_some_and(|fetched| fetched.metadata.is_over());
        if let Some(cell) = cells.by_reference.get(reference).and_then(Weak::upgrade).filter(is_good) {
            return cell;
        }
        // Not with each that is new: they may be thousands.
        if cells.by_reference.len() >= cells.full {
            let Cells { by_reference, by_label, full } = &mut *cells;
            by_reference.retain(|_, cell| cell.strong_count() > 0);
            by_label.retain(|_, reference| by_reference.contains_key(reference));
            *full = 2 * by_reference.len() + 16;
        }
        let cell = Cell::default();
        let label = reference.label();
        if cells.labelled(&label).is_none() {
            cells.by_label.insert(label, reference.clone());
        }
        cells.by_reference.insert(reference.clone(), Arc::downgrade(&cell));
        cell
    }

    /// What is held of a reference.
    pub(super) fn get(&self, reference: &SecretRef) -> Option<Cell> {
        self.cells().by_reference.get(reference).and_then(Weak::upgrade)
    }

    /// What is held under this label.
    pub(super) fn labelled(&self, label: &str) -> Option<Cell> {
        self.cells().labelled(label)
    }
}
