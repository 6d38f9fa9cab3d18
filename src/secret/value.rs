//! A plain value in its box.

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret;
use secrecy::SecretSlice;
use zeroize::Zeroize;

/// The bytes of a secret: wiped when the last clone is dropped, never shown.
#[derive(Clone)]
pub struct SecretValue(Arc<SecretSlice<u8>>);

impl SecretValue {
    /// Takes the bytes. Where they have spare room, which a box can't have, they are moved and
    /// the old place is wiped; a plain shrink might leave it as it is.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.capacity() == bytes.len() {
            return Self(Arc::new(SecretSlice::from(bytes)));
        }
        let exact: Box<[u8]> = Box::from(bytes.as_slice());
        bytes.zeroize();
        Self(Arc::new(SecretSlice::new(exact)))
    }

    /// The bytes, for those who fetch, mask and compare them.
    pub(in crate::secret) fn plain(&self) -> &[u8] {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the box is opened inside this tree"
        )]
        self.0.expose_secret()
    }

    /// Shows the bytes to `look`. The door for those who must put a value on the wire: each call
    /// carries a lint expectation with its reason, so that a search for it is an audit.
    pub fn reveal<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(self.plain())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}
