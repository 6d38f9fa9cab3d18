//! The key of the fingerprints: 32 random bytes in a file of the user's own.

use std::fs;
use std::io::ErrorKind;
use std::io::Write;

use data_encoding::HEXLOWER;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::SecretValue;
use crate::secret::audit::AuditError;
use crate::secret::audit::AuditLog;
use crate::secret::audit::file;

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
    file::make_folder(log)?;
    let path = log.folder().join("audit.key");
    let mut key = Zeroizing::new([0; KEY]);
    getrandom::fill(&mut *key).map_err(|error| file::failed("make", &path, &error))?;
    // A link to a whole file: whoever comes second finds the key of the first.
    let new = log.folder().join(format!("audit.key.{}", std::process::id()));
    let written = file::options()
        .write(true)
        .create_new(true)
        .open(&new)
        .and_then(|mut made| made.write_all(HEXLOWER.encode(&*key).as_bytes()).and_then(|()| made.sync_all()))
        .and_then(|()| match fs::hard_link(&new, &path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
    fs::remove_file(&new).ok();
    written.map_err(|error| file::failed("make", &path, &error))?;
    read(log)?.ok_or_else(|| AuditError::NotOurs {
        path: path.display().to_string(),
        cause: "was removed while it was made".to_owned(),
    })
}

fn read(log: &AuditLog) -> Result<Option<Zeroizing<[u8; KEY]>>, AuditError> {
    let path = log.folder().join("audit.key");
    let Some(text) = file::read_own(&path)?.map(Zeroizing::new) else { return Ok(None) };
    let mut key = Zeroizing::new([0; KEY]);
    match HEXLOWER.decode_mut(text.trim_ascii(), &mut *key) {
        Ok(KEY) if text.trim_ascii().len() == 2 * KEY => Ok(Some(key)),
        _ => Err(AuditError::NotOurs {
            path: path.display().to_string(),
            cause: "is no key of 64 hexadecimal digits".to_owned(),
        }),
    }
}
