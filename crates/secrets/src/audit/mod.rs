//! The audit log: which secret was used when, by what, and where it went.
//!
//! One JSON object a line, appended and synced before the use goes on. Each line holds the SHA-256
//! of the line before, and a value is there only as an HMAC under a key that stays on this machine.
//! A change, a gap or a cut is found by [`AuditLog::verify`]. It is evidence against accidents and
//! clumsy hands: whoever can write to the folder can write a new log.

mod auditor;
mod file;
mod key;
mod line;
mod verify;

use std::path::Path;
use std::path::PathBuf;

use crate::SecretValue;

pub use auditor::Auditor;
pub use auditor::Policy;
pub use line::AuditAction;
pub use line::Entry;
pub use line::Use;
pub use verify::Verdict;
pub use verify::Wrong;

/// Why the log can't be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The system refused.
    #[error("cannot {action} `{path}`: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// The system's words.
        cause: String,
    },
    /// The file is not one that Doppio made: a link, somebody else's, or open to others.
    #[error("`{path}` {cause}")]
    NotOurs {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Another process holds it for too long.
    #[error("another process has held `{path}` for 10 s")]
    Busy {
        /// The file.
        path: String,
    },
}

/// The log of one state directory.
#[derive(Debug, Clone)]
pub struct AuditLog {
    folder: PathBuf,
}

impl AuditLog {
    /// The log in this folder: `audit.jsonl`, with `audit.key` and `audit.head` beside it. None
    /// is made before something is recorded.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Its file.
    pub fn path(&self) -> PathBuf {
        self.folder.join("audit.jsonl")
    }

    /// Where it ended when it was last written; locked by whoever writes.
    fn head(&self) -> PathBuf {
        self.folder.join("audit.head")
    }

    /// The folder of its files.
    fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds lines: all of them are on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When they are not.
    pub fn record(&self, uses: &[Use]) -> Result<(), AuditError> {
        file::append(self, uses)
    }

    /// What stands for a value in the log: 64 bits of an HMAC-SHA256, in hexadecimal. Its key is
    /// made at the first use.
    ///
    /// # Errors
    ///
    /// When the key can't be read or made.
    pub fn fingerprint(&self, value: &SecretValue) -> Result<String, AuditError> {
        key::fingerprint(self, value)
    }

    /// All lines that can be read, in order.
    ///
    /// # Errors
    ///
    /// When the file can't be read; that there is none is not an error.
    pub fn entries(&self) -> Result<Vec<Entry>, AuditError> {
        Ok(file::lines(&file::read(self)?).filter_map(line::parse).collect())
    }

    /// Looks whether every line is as it was written, and none is missing.
    ///
    /// # Errors
    ///
    /// When the file can't be read; that there is none is not an error.
    pub fn verify(&self) -> Result<Verdict, AuditError> {
        verify::verify(self)
    }
}

#[cfg(test)]
mod tests;
