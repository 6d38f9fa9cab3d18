//! Files of private keys: what is known of one without its passphrase, and opening it with one.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use russh::keys::Error;
use russh::keys::PrivateKey;
use russh::keys::PublicKey;
use zeroize::Zeroizing;

use doppio_text::shell::typed;

use crate::ssh::legacy_pem;

/// A key file, read.
pub(in crate::ssh) struct KeyFile {
    /// None if only the passphrase tells.
    pub key: Option<PublicKey>,
    /// None if it is a public key alone, which names a key of the agent.
    pub content: Option<Content>,
    pub path: PathBuf,
}

/// What a file of a private key holds.
#[derive(Debug, Clone)]
pub(in crate::ssh) enum Content {
    /// A key in the clear.
    Open(Box<PrivateKey>),
    /// One that wants a passphrase.
    Locked,
    /// The same, of an old format without the public key.
    Sealed,
}

/// Why a file can't be used.
#[derive(Debug)]
pub(in crate::ssh) struct KeyFault {
    pub why: String,
    /// What to do about it, with the command to type.
    pub hint: String,
    pub is_missing: bool,
}

/// What became of a passphrase.
#[derive(Debug)]
pub(in crate::ssh) enum Opened {
    Key(Box<PrivateKey>),
    /// It is not the file's.
    Wrong,
    /// The passphrase may be right, and the file can't be read here.
    Unreadable(String),
    /// The passphrase is right, and no host takes such a key from here: why, in words.
    Unsupported(String),
}

/// Reads a file as far as that goes without a passphrase.
///
/// # Errors
///
/// Why it can't be used, and what to do.
pub(in crate::ssh) fn read(path: &Path) -> Result<KeyFile, KeyFault> {
    let of = |key, content| KeyFile { key, content, path: path.to_owned() };
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        // A public key alone names a key of the agent.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match public_beside(path) {
                Some(key) => Ok(of(Some(key), None)),
                None => Err(missing(path)),
            };
        }
        Err(error) => return Err(unreadable(path, error.to_string())),
    };
    if let Ok(key) = PublicKey::from_openssh(text.trim()) {
        return Ok(of(Some(key), None));
    }
    let mode = fs::metadata(path).map_err(|error| unreadable(path, error.to_string()))?.mode();
    if mode & 0o077 != 0 {
        return Err(KeyFault {
            why: format!("others can read it (mode {:04o}, expected 0600)", mode & 0o7777),
            hint: format!("run {}", typed(["chmod", "600", &path.display().to_string()])),
            is_missing: false,
        });
    }
    let decoded = russh::keys::decode_secret_key(&text, None);
    if is_locked(&text, &decoded) {
        // OpenSSH's own format has the public key in the clear; others have it beside, or nowhere.
        let inside = PrivateKey::from_openssh(text.as_bytes()).ok().map(|key| key.public_key().clone());
        let key = inside.or_else(|| public_beside(path));
        let content = if key.is_some() { Content::Locked } else { Content::Sealed };
        return Ok(of(key, Some(content)));
    }
    match decoded {
        Ok(key) => Ok(of(Some(key.public_key().clone()), Some(Content::Open(Box::new(key))))),
        Err(error) => Err(match unsupported(&text, &error) {
            Some(why) => KeyFault { why, hint: another_hint(), is_missing: false },
            None => unreadable(path, format!("not a private key that can be read: {error}")),
        }),
    }
}

/// What is said of a key of a kind that can't be used, by the label of its PEM or by its algorithm or curve,
/// which are read only where the passphrase was right.
fn unsupported(text: &str, error: &Error) -> Option<String> {
    let kind = match error {
        _ if text.contains("-----BEGIN DSA PRIVATE KEY-----") => "a DSA key".to_owned(),
        Error::UnknownAlgorithm(id) => match id.to_string().as_str() {
            "1.2.840.10040.4.1" => "a DSA key".to_owned(),
            "1.3.132.0.10" => "an ECDSA key of the curve secp256k1".to_owned(),
            "1.3.101.113" => "an Ed448 key".to_owned(),
            id => format!("a key of the kind {id}"),
        },
        _ => return None,
    };
    Some(format!("it is {kind}, which is not supported"))
}

/// What to do about a key of a kind that can't be used.
pub(in crate::ssh) fn another_hint() -> String {
    format!(
        "make a key of another kind with {}, and name it with `identity_file` in hosts.toml",
        typed(["ssh-keygen", "-t", "ed25519"])
    )
}

/// Opens a file.
pub(in crate::ssh) fn open(path: &Path, passphrase: &str) -> Opened {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => return Opened::Unreadable(error.to_string()),
    };
    if legacy_pem::is_locked(&text) {
        return match legacy_pem::unlock(&text, passphrase.as_bytes()) {
            Ok(text) => match russh::keys::decode_secret_key(&text, None) {
                Ok(key) => Opened::Key(Box::new(key)),
                Err(error) => match unsupported(&text, &error) {
                    Some(why) => Opened::Unsupported(why),
                    None => Opened::Unreadable(error.to_string()),
                },
            },
            Err(legacy_pem::Failure::Wrong) => Opened::Wrong,
            Err(failure) => Opened::Unreadable(failure.to_string()),
        };
    }
    match russh::keys::decode_secret_key(&text, Some(passphrase)) {
        Ok(key) => Opened::Key(Box::new(key)),
        Err(error) if is_wrong_passphrase(&error) => Opened::Wrong,
        Err(error) => {
            if let Some(why) = unsupported(&text, &error) {
                return Opened::Unsupported(why);
            }
            // The wrong passphrase can by chance give something that looks decrypted: another wrong one
            // then does not.
            let other = Zeroizing::new(format!("{passphrase}x"));
            match russh::keys::decode_secret_key(&text, Some(&other)) {
                Err(other) if is_wrong_passphrase(&other) => Opened::Wrong,
                _ => Opened::Unreadable(error.to_string()),
            }
        }
    }
}

/// What to do about a file whose format or cipher is not known here.
pub(in crate::ssh) fn rewrite_hint(path: &Path) -> String {
    let path = path.display().to_string();
    format!(
        "{} writes it anew in OpenSSH's own format, under the same passphrase if you like",
        typed(["ssh-keygen", "-p", "-f", &path])
    )
}

fn missing(path: &Path) -> KeyFault {
    let path = path.display().to_string();
    KeyFault {
        why: "no such file".to_owned(),
        hint: format!(
            "name another one with `identity_file` in hosts.toml, or make it with {}",
            typed(["ssh-keygen", "-t", "ed25519", "-f", &path])
        ),
        is_missing: true,
    }
}

fn unreadable(path: &Path, why: String) -> KeyFault {
    KeyFault { why, hint: rewrite_hint(path), is_missing: false }
}

fn is_wrong_passphrase(error: &Error) -> bool {
    match error {
        Error::SshKey(error) => matches!(error, russh::keys::ssh_key::Error::Crypto),
        // Its own type is not among what russh shows.
        Error::Pkcs8(_) => error.to_string().contains("decryption failed"),
        _ => false,
    }
}

fn is_locked(text: &str, decoded: &Result<PrivateKey, Error>) -> bool {
    match decoded {
        Ok(key) => key.is_encrypted(),
        Err(Error::KeyIsEncrypted) => true,
        // russh tries to read what is inside.
        Err(_) => text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || legacy_pem::is_locked(text),
    }
}

fn public_beside(path: &Path) -> Option<PublicKey> {
    PublicKey::from_openssh(fs::read_to_string(with_suffix(path, ".pub")).ok()?.trim()).ok()
}

/// The path with something after its last letter.
pub(in crate::ssh) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
