//! A host key that the user has named: `host_key` of `hosts.toml`.

use std::fmt;
use std::str::FromStr;

use russh::keys::Algorithm;
use russh::keys::HashAlg;
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;

/// A public key as `ssh-keyscan` and `*.pub` files have it, without the name of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedKey(KeyData);

/// The text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a public key, as in `ssh-ed25519 AAAAC3Nz…`")]
pub struct NotAKey;

impl PinnedKey {
    /// As messages have it: `ssh-ed25519 SHA256:…`.
    pub(in crate::ssh) fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }

    /// Its algorithm.
    pub(in crate::ssh) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// Whether it is this key.
    pub(in crate::ssh) fn is(&self, key: &PublicKey) -> bool {
        self.0 == *key.key_data()
    }
}

impl From<&PublicKey> for PinnedKey {
    fn from(key: &PublicKey) -> Self {
        Self(key.key_data().clone())
    }
}

impl FromStr for PinnedKey {
    type Err = NotAKey;

    /// A comment after the key is left out.
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        PublicKey::from_openssh(text.trim()).map(|key| Self::from(&key)).map_err(|_| NotAKey)
    }
}

impl fmt::Display for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = PublicKey::new(self.0.clone(), "").to_openssh().map_err(|_| fmt::Error)?;
        f.write_str(text.trim_end())
    }
}

/// A key as messages have it: `ssh-ed25519 SHA256:…`.
pub(in crate::ssh) fn fingerprint(key: &KeyData) -> String {
    let algorithm = key.algorithm();
    // An RSA key is the same with every hash.
    let name = if matches!(algorithm, Algorithm::Rsa { .. }) { "ssh-rsa" } else { algorithm.as_str() };
    format!("{name} {}", key.fingerprint(HashAlg::Sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_key_reads_as_it_is_written() {
        let key: PinnedKey = format!("{KEY} root@gpu\n").parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert!(key.fingerprint().starts_with("ssh-ed25519 SHA256:"));
        for text in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "gpu ssh-ed25519 AAAA", "SHA256:abc"] {
            assert_eq!(text.parse::<PinnedKey>(), Err(NotAKey), "{text}");
        }
    }
}
