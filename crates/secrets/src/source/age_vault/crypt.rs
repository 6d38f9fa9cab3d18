//! Bytes of an age file ↔ plaintext.

use std::io::Read;
use std::io::Write;
use std::path::Path;

use age::DecryptError;
use age::Decryptor;
use age::EncryptError;
use age::Encryptor;
use age::secrecy::SecretString;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::source::SourceError;
use crate::source::age_vault::encryption::Encryption;
use crate::source::age_vault::key::Key;
use crate::source::age_vault::key::secret_string;
use crate::source::age_vault::key::ssh_identity;
use crate::source::age_vault::store;

/// A vault that asks for more of scrypt is refused: 2²² takes half a minute and 4 GiB.
const DEAREST: u8 = 22;

/// Reads the header.
pub(super) fn encryption(path: &Path, bytes: &[u8]) -> Result<Encryption, SourceError> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    if lines.next() != Some(b"age-encryption.org/v1") {
        return Err(damaged(path, "it is not an age file"));
    }
    let mut kinds =
        lines.take_while(|line| !line.starts_with(b"---")).filter_map(|line| line.strip_prefix(b"-> "));
    kinds
        .find_map(|kind| match kind.split(|&byte| byte == b' ').next() {
            Some(b"scrypt") => Some(Encryption::Passphrase),
            Some(b"ssh-ed25519" | b"ssh-rsa") => Some(Encryption::Ssh),
            Some(b"X25519") => Some(Encryption::Identity),
            _ => None,
        })
        .ok_or_else(|| damaged(path, "no key that Doppio knows opens it"))
}

/// The error for a vault whose bytes are wrong, with the way back.
pub(super) fn damaged(path: &Path, cause: &str) -> SourceError {
    let (shown, previous) = (path.display(), store::beside(path, ".previous"));
    let hint = if previous.exists() {
        format!(
            "nothing was changed; the previous generation is `{}`: move it to `{shown}`",
            previous.display()
        )
    } else {
        format!("nothing was changed; restore `{shown}` from a backup, or move it away to start over")
    };
    SourceError::unreachable(format!("the age vault `{shown}` can't be opened: {cause}"), hint)
}

/// Opens the vault with the first key that fits.
pub(super) fn decrypt(
    path: &Path,
    bytes: &[u8],
    keys: &[Key],
) -> Result<(Zeroizing<Vec<u8>>, Key), SourceError> {
    let mut last = None;
    for key in keys {
        match decrypt_with(bytes, key) {
            Ok(plain) => return Ok((plain, key.clone())),
            Err(OpenError::Source(error)) => return Err(error),
            Err(OpenError::Age(error)) => last = Some((key, error)),
        }
    }
    let shown = path.display();
    Err(match last {
        Some((
            Key::Passphrase { .. },
            DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed,
        )) => SourceError::not_allowed(
            format!("the passphrase does not open the age vault `{shown}`"),
            "try again",
        ),
        Some((Key::Identity { file, .. }, DecryptError::KeyDecryptionFailed)) => SourceError::not_allowed(
            format!("the passphrase does not open the identity `{}`", file.display()),
            "try again",
        ),
        Some((key, DecryptError::NoMatchingKeys)) => SourceError::not_allowed(
            format!("{} does not open the age vault `{shown}`", key.describe()),
            "name the one that locks it: `DOPPIO_VAULT_IDENTITY=PATH`",
        ),
        Some((_, DecryptError::ExcessiveWork { .. })) => {
            damaged(path, "its header demands more work than any age vault of Doppio's")
        }
        Some((_, error)) => damaged(path, &error.to_string()),
        None => damaged(path, "there is no key for it"),
    })
}

#[derive(thiserror::Error, Debug)]
enum OpenError {
    #[error(transparent)]
    Age(#[from] DecryptError),
    #[error(transparent)]
    Source(#[from] SourceError),
}

fn decrypt_with(bytes: &[u8], key: &Key) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let decryptor = Decryptor::new_buffered(bytes)?;
    let identities = identities(key)?;
    let mut stream = decryptor.decrypt(identities.iter().map(AsRef::as_ref))?;
    // Never more than the ciphertext, so that the buffer need not grow.
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    stream.read_to_end(&mut plain).map_err(DecryptError::Io)?;
    Ok(plain)
}

/// Locks a plaintext.
pub(super) fn encrypt(plain: &[u8], key: &Key) -> Result<Vec<u8>, SourceError> {
    let recipients = recipients(key)?;
    let recipients = recipients.iter().map(|recipient| &**recipient as &dyn age::Recipient);
    let failed =
        |error: &dyn std::fmt::Display| SourceError::Unfit { cause: format!("cannot encrypt: {error}") };
    let encryptor = Encryptor::with_recipients(recipients).map_err(|error: EncryptError| failed(&error))?;
    let mut bytes = Vec::with_capacity(plain.len() + 4096);
    let mut writer = encryptor.wrap_output(&mut bytes).map_err(|error| failed(&error))?;
    writer.write_all(plain).and_then(|()| writer.finish()).map_err(|error| failed(&error))?;
    Ok(bytes)
}

fn x25519(text: &SecretValue) -> Result<age::x25519::Identity, SourceError> {
    std::str::from_utf8(text.plain()).ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
        SourceError::unreachable(
            "the age vault's key in the keychain is damaged",
            "look at it with `secret-tool lookup service dev.doppio.vault username key`",
        )
    })
}

/// Why an identity file is of no use.
fn unusable(file: &Path, cause: &str) -> SourceError {
    SourceError::unreachable(
        format!("the identity `{}` can't be used: {cause}", file.display()),
        "name an Ed25519 or RSA key of SSH, or a file that `age-keygen` made",
    )
}

fn age_file(file: &Path, text: &SecretValue) -> Result<age::IdentityFile<age::NoCallbacks>, SourceError> {
    age::IdentityFile::from_buffer(text.plain())
        .map_err(|_| unusable(file, "it is neither an age identity nor an SSH key"))
}

fn identities(key: &Key) -> Result<Vec<Box<dyn age::Identity>>, SourceError> {
    match key {
        Key::Keychain(text) => Ok(vec![Box::new(x25519(text)?)]),
        Key::Passphrase { passphrase, .. } => {
            let mut identity = age::scrypt::Identity::new(secret_string(passphrase)?);
            identity.set_max_work_factor(DEAREST);
            Ok(vec![Box::new(identity)])
        }
        Key::Identity { file, text, passphrase } => match ssh_identity(text) {
            Some(age::ssh::Identity::Unsupported(_)) => {
                Err(unusable(file, "age can't use keys of this type"))
            }
            Some(identity) => {
                let passphrase = passphrase.as_ref().map(secret_string).transpose()?;
                Ok(vec![Box::new(identity.with_callbacks(Answer(passphrase)))])
            }
            None => {
                age_file(file, text)?.into_identities().map_err(|error| unusable(file, &error.to_string()))
            }
        },
    }
}

fn recipients(key: &Key) -> Result<Vec<Box<dyn age::Recipient + Send>>, SourceError> {
    match key {
        Key::Keychain(text) => Ok(vec![Box::new(x25519(text)?.to_public())]),
        Key::Passphrase { passphrase, work_factor } => {
            let mut recipient = age::scrypt::Recipient::new(secret_string(passphrase)?);
            recipient.set_work_factor((*work_factor).clamp(10, DEAREST));
            Ok(vec![Box::new(recipient)])
        }
        Key::Identity { file, text, .. } => match ssh_identity(text) {
            Some(identity) => age::ssh::Recipient::try_from(identity)
                .map(|recipient| vec![Box::new(recipient) as Box<dyn age::Recipient + Send>])
                .map_err(|_| unusable(file, "age can't use keys of this type")),
            None => age_file(file, text)?.to_recipients().map_err(|error| unusable(file, &error.to_string())),
        },
    }
}

/// Answers `age`'s question for an SSH key's passphrase.
#[derive(Clone)]
struct Answer(Option<SecretString>);

impl age::Callbacks for Answer {
    fn display_message(&self, _message: &str) {}

    fn confirm(&self, _message: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _description: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _description: &str) -> Option<SecretString> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    fn passphrase(text: &str) -> Key {
        Key::Passphrase { passphrase: value(text), work_factor: 10 }
    }

    fn identity_file(text: &str) -> Key {
        Key::Identity { file: "id".into(), text: value(text), passphrase: None }
    }

    #[test]
    fn each_key_opens_what_it_locked_and_nothing_else() {
        #[expect(clippy::disallowed_methods, reason = "a key made for this test")]
        let age_key = |id: age::x25519::Identity| {
            use age::secrecy::ExposeSecret;
            id.to_string().expose_secret().to_owned()
        };
        let (one, two) =
            (age_key(age::x25519::Identity::generate()), age_key(age::x25519::Identity::generate()));
        let path = Path::new("/v/vault.age");
        for (right, wrong, kind) in [
            (passphrase("correct horse"), passphrase("correct hors"), Encryption::Passphrase),
            (Key::Keychain(value(&one)), Key::Keychain(value(&two)), Encryption::Identity),
            (identity_file(&format!("# created\n{one}\n")), identity_file(&two), Encryption::Identity),
        ] {
            let bytes = encrypt(b"plain", &right).unwrap();
            assert_eq!(encryption(path, &bytes).unwrap(), kind);
            assert_eq!(*decrypt(path, &bytes, std::slice::from_ref(&right)).unwrap().0, b"plain");
            let fault = decrypt(path, &bytes, &[wrong]).unwrap_err();
            assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault}");
            let mut bent = bytes.clone();
            let last = bent.len() - 1;
            bent[last] ^= 1;
            let fault = decrypt(path, &bent, &[right]).unwrap_err();
            assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault}");
        }
    }

    #[test]
    fn garbage_is_no_vault() {
        let path = Path::new("/v/vault.age");
        for bytes in [&b""[..], b"hunter2", b"age-encryption.org/v1\n-> unknown x\n--- m\n"] {
            let fault = encryption(path, bytes).unwrap_err();
            assert!(
                fault.to_string().starts_with("the age vault `/v/vault.age` can't be opened: "),
                "{fault}"
            );
            assert!(fault.hint().unwrap().starts_with("nothing was changed; "));
        }
    }
}
