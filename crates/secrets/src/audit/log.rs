//! Where the log of a state directory is.

use std::path::Path;
use std::path::PathBuf;

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
    pub(super) fn head(&self) -> PathBuf {
        self.folder.join("audit.head")
    }

    /// The folder of its files.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
