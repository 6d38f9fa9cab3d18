//! Files that one process at a time may change.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::time::Duration;
use std::time::Instant;

/// How long passes between two looks at a lock that somebody else has.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the lock of an open file, which is given back when the file is closed. False if others
/// held it all of this time.
///
/// # Errors
///
/// When the file can't be locked at all.
pub(crate) fn lock(file: &File, patience: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > patience => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_others_wait_for_a_while() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (first, second) = (file.reopen().unwrap(), file.reopen().unwrap());
        assert!(lock(&first, Duration::ZERO).unwrap());
        assert!(!lock(&second, Duration::from_millis(20)).unwrap());
        let waiting = std::thread::spawn(move || lock(&second, Duration::from_mins(1)).unwrap());
        drop(first);
        assert!(waiting.join().unwrap());
    }
}
