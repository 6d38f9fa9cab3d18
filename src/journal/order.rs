//! The order in which runs began: each has a number, for clocks go back, and two runs begin in the
//! same second.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::fs::flock;

use crate::journal::files;

/// The file of a run that has its number.
const FILE: &str = "number";

/// The right to begin the next run, or to remove one; others wait for it.
pub(super) struct Turn {
    number: u64,
    _lock: File,
}

/// Waits for the right to begin a run among these.
pub(super) fn turn(runs: &Path) -> io::Result<Turn> {
    // Beside the folder, in which there are only runs.
    let lock = files::append_to(&runs.with_extension("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let folders = fs::read_dir(runs)?.flatten().map(|entry| entry.path());
    let last = folders.filter_map(|folder| number(&folder)).max().unwrap_or_default();
    Ok(Turn { number: last + 1, _lock: lock })
}

impl Turn {
    /// Gives the number to the run in this folder.
    pub(super) fn number(&self, folder: &Path) -> io::Result<()> {
        let mut file = files::append_to(&folder.join(FILE))?;
        writeln!(file, "{}", self.number)
    }
}

/// The number of the run in this folder; runs of older versions have none.
pub(super) fn number(folder: &Path) -> Option<u64> {
    fs::read_to_string(folder.join(FILE)).ok()?.trim().parse().ok()
}
