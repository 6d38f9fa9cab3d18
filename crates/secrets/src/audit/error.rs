//! Why the log can't be read or written.

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
