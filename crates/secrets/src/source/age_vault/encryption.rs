//! How the file of a vault is encrypted.

/// How a vault is encrypted, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Passphrase,
    Ssh,
    Identity,
}
