//! Where a credential may go.

use std::fmt;

/// How far a credential may travel, by what somebody could do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// It reads and writes data of one service: it may go to any host.
    DataPlane,
    /// It acts in a cloud account, within limits: the host is at least shared with people the user
    /// knows.
    Scoped,
    /// It can do whatever the user can: only to the user's own hosts.
    Personal,
    /// It rents and destroys machines: it stays here.
    NeverRemote,
}

impl Exposure {
    /// The word for it in lists and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataPlane => "data-plane",
            Self::Scoped => "scoped",
            Self::Personal => "personal",
            Self::NeverRemote => "never-remote",
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
