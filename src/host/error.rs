//! Why a host could not do what was asked. One entry a cause that the user can do something
//! about; each carries the server's own words.

/// What went wrong between here and a host.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// One line: which host, what failed.
    pub message: String,
    /// From what Doppio was doing down to what the other side said.
    pub causes: Vec<String>,
    /// What to do, with the command to type.
    pub hint: Option<String>,
}
