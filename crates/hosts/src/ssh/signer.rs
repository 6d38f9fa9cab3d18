//! Signing with a key file. The passphrase is asked for only when the server wants the key.

use russh::keys::HashAlg;
use russh::keys::PrivateKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub(in crate::ssh) enum SignError {
    /// The server would take the key; now its passphrase is needed.
    #[error("the key is locked")]
    Locked,
    /// The session is gone.
    #[error("the connection was closed")]
    Closed,
    /// The key can't sign.
    #[error("{0}")]
    Failed(String),
}

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self::Closed
    }
}

/// A key of a file, locked until its passphrase is known.
pub(in crate::ssh) struct FileSigner<'a> {
    pub key: Option<&'a PrivateKey>,
}

impl russh::Signer for FileSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let key = self.key.ok_or(SignError::Locked)?;
        let failed = |error: String| SignError::Failed(error);
        let signature = sign(key, hash, &to_sign).map_err(|error| failed(error.to_string()))?;
        let signature = signature.encode_vec().map_err(|error| failed(error.to_string()))?;
        signature.encode(&mut to_sign).map_err(|error| failed(error.to_string()))?;
        Ok(to_sign)
    }
}

fn sign(key: &PrivateKey, hash: Option<HashAlg>, bytes: &[u8]) -> signature::Result<Signature> {
    match key.key_data() {
        KeypairData::Rsa(key) => (key, hash).try_sign(bytes),
        key => key.try_sign(bytes),
    }
}
