//! Which variables are Doppio's own.

use std::ffi::OsStr;

/// Variables that no program gets from Doppio's own environment: they open the vault, or say where
/// what opens it lies. What is set for one program on purpose is not held against this list.
///
/// Others of Doppio's are handed on, because a program may be `doppio` or call it: `DOPPIO_HOME`,
/// `DOPPIO_PROFILE` and `DOPPIO_KEYRING` say where and how it looks, and hold no secret. One that
/// is called this way opens the vault by the keychain or by the settings.
pub const OWN: [&str; 4] =
    ["DOPPIO_PASSPHRASE", "DOPPIO_PASSPHRASE_FD", "DOPPIO_PASSPHRASE_FILE", "DOPPIO_VAULT_IDENTITY"];

/// Whether a variable is one of them.
pub(crate) fn is_own(name: &OsStr) -> bool {
    OWN.iter().any(|own| name == *own)
}
