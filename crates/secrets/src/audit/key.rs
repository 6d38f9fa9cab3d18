//! The key of the fingerprints: 32 random bytes in a file of the user's own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::audit::AuditError;
use crate::audit::AuditLog;
use crate::audit::file;

impl AuditLog {
    /// What stands for a value in the log: 64 bits of an HMAC-SHA256, in hexadecimal. Its key is
    /// made at the first use.
    ///
    /// # Errors
    ///
    /// When the key can't be read or made.
    pub fn fingerprint(&self, value: &SecretValue) -> Result<String, AuditError> {
        fingerprint(self, value)
    }
}

/// Bytes of the key.
const KEY: usize = 32;

/// Bytes of a fingerprint: enough to tell a few thousand values apart.
const SHOWN: usize = 8;

pub(super) fn fingerprint(log: &AuditLog, value: &SecretValue) -> Result<String, AuditError> {
    let key = key(log)?;
    let mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of every length");
    Ok(HEXLOWER.encode(&mac.chain_update(value.plain()).finalize().into_bytes()[..SHOWN]))
}

fn key(log: &AuditLog) -> Result<Zeroizing<[u8; KEY]>, AuditError> {
    if let Some(key) = read(log)? {
        return Ok(key);
    }
    // Whoever waited for another's key finds it.
    let _alone = file::locked(log)?;
    match read(log)? {
        Some(key) => Ok(key),
        None => make(log),
    }
}

/// Makes it whole before it has its name.
fn make(log: &AuditLog) -> Result<Zeroizing<[u8; KEY]>, AuditError> {
    let path = path(log);
    let mut key = Zeroizing::new([0; KEY]);
    getrandom::fill(&mut *key).map_err(|error| file::failed("make", &path, &error))?;
    let text = Zeroizing::new(HEXLOWER.encode(&*key));
    let new = path.with_extension("key.new");
    let mut made = file::open(&new, file::options().write(true).create(true).truncate(true))?;
    made.write_all(text.as_bytes())
        .and_then(|()| made.sync_all())
        .and_then(|()| fs::rename(&new, &path))
        .map_err(|error| file::failed("make", &path, &error))?;
    Ok(key)
}

fn path(log: &AuditLog) -> PathBuf {
    log.folder().join("audit.key")
}

fn read(log: &AuditLog) -> Result<Option<Zeroizing<[u8; KEY]>>, AuditError> {
    let path = path(log);
    let Some(text) = file::read_own(&path)?.map(Zeroizing::new) else { return Ok(None) };
    let mut key = Zeroizing::new([0; KEY]);
    match HEXLOWER.decode_mut(text.trim_ascii(), &mut *key) {
        Ok(KEY) if text.trim_ascii().len() == 2 * KEY => Ok(Some(key)),
        _ => Err(AuditError::NotOurs {
            path: path.display().to_string(),
            cause: "is not a key of 64 hexadecimal digits".to_owned(),
        }),
    }
}
