//! Whether the Doppio of a run lives: it holds a lock on the run's file `lock`.
//!
//! The lock is a POSIX record lock, which belongs to the process. A lock of `flock(2)` belongs to
//! the open file, which a child has too between `fork` and `exec`: such a child can outlive a
//! Doppio that was killed, and its run would look alive. A record lock goes with the first close
//! of the file by its process, so a process never opens the lock of its own run again: it asks
//! [`HELD`].

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::fs::FlockOperation;
use rustix::fs::fcntl_lock;
use rustix::process::Flock;
use rustix::process::FlockType;
use rustix::process::fcntl_getlk;

use crate::journal::files;

/// The run folders whose locks this process holds.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The lock of one run, held until this is dropped.
#[derive(Debug)]
pub(super) struct RunLock {
    folder: PathBuf,
    file: File,
}

impl RunLock {
    /// Takes the lock of the run in `folder`.
    ///
    /// # Errors
    ///
    /// When the file can't be made, or another process holds it.
    pub(super) fn take(folder: &Path) -> io::Result<Self> {
        let file = files::append_to(&path(folder))?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
        held(|held| held.insert(folder.to_owned()));
        Ok(Self { folder: folder.to_owned(), file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file would do as well; nobody has to hear of a failure.
        fcntl_lock(&self.file, FlockOperation::NonBlockingUnlock).ok();
        held(|held| held.remove(&self.folder));
    }
}

/// Whether a process that lives holds the lock of the run in `folder`.
///
/// # Errors
///
/// When the file can't be looked at. A run without one is over.
pub(super) fn is_held(folder: &Path) -> io::Result<bool> {
    if held(|held| held.contains(folder)) {
        return Ok(true);
    }
    match File::open(path(folder)) {
        Ok(file) => Ok(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("lock")
}

fn held<T>(look: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
    look(&mut HELD.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    // case D15
    // case I2
    #[test]
    fn a_child_that_has_the_file_open_does_not_hold_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(folder.path()).unwrap());
        let lock = RunLock::take(folder.path()).unwrap();
        assert!(is_held(folder.path()).unwrap());
        let inherited = lock.file.try_clone().unwrap();
        let mut child = Command::new("sleep").arg("600").stdin(inherited).spawn().unwrap();
        drop(lock);
        assert!(!is_held(folder.path()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
