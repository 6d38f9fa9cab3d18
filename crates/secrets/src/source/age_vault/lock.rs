//! What a vault's file is locked with.

/// What a vault is locked with, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Passphrase,
    Ssh,
    Identity,
}
