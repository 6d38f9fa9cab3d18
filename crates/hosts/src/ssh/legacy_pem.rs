//! Private keys under a passphrase as OpenSSL wrote them before PKCS #8 (RFC 1421, with OpenSSL's
//! `EVP_BytesToKey`): `Proc-Type: 4,ENCRYPTED`. russh reads those of RSA in AES-128 only.

use aes::Aes128;
use aes::Aes192;
use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::BlockModeDecrypt;
use cbc::cipher::KeyIvInit;
use cbc::cipher::block_padding::Pkcs7;
use data_encoding::BASE64;
use data_encoding::HEXUPPER_PERMISSIVE;
use des::TdesEde3;
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::ssh) enum Failure {
    /// The passphrase is not the file's.
    #[error("the passphrase is wrong")]
    Wrong,
    /// A cipher that nobody uses any more.
    #[error("its cipher `{0}` is not supported")]
    Cipher(String),
    /// The file is damaged.
    #[error("it is not well-formed PEM")]
    Broken,
}

/// Whether a text is such a key.
pub(in crate::ssh) fn is_locked(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "Proc-Type: 4,ENCRYPTED")
}

/// The same key as PEM in the clear.
pub(in crate::ssh) fn unlock(text: &str, passphrase: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let label = between(text, "-----BEGIN ", "-----").ok_or(Failure::Broken)?;
    let body = between(text, &format!("-----BEGIN {label}-----"), &format!("-----END {label}-----"));
    let mut cipher = None;
    let mut base64 = String::new();
    for line in body.ok_or(Failure::Broken)?.lines().map(str::trim) {
        match line.split_once(": ") {
            Some(("DEK-Info", info)) => cipher = info.split_once(','),
            Some(_) => {}
            None => base64.push_str(line),
        }
    }
    let (cipher, iv) = cipher.ok_or(Failure::Broken)?;
    let iv = HEXUPPER_PERMISSIVE.decode(iv.as_bytes()).map_err(|_| Failure::Broken)?;
    let mut bytes = Zeroizing::new(BASE64.decode(base64.as_bytes()).map_err(|_| Failure::Broken)?);
    let length = match cipher {
        "AES-128-CBC" => decrypt::<Decryptor<Aes128>>(16, passphrase, &iv, &mut bytes),
        "AES-192-CBC" => decrypt::<Decryptor<Aes192>>(24, passphrase, &iv, &mut bytes),
        "AES-256-CBC" => decrypt::<Decryptor<Aes256>>(32, passphrase, &iv, &mut bytes),
        "DES-EDE3-CBC" => decrypt::<Decryptor<TdesEde3>>(24, passphrase, &iv, &mut bytes),
        other => return Err(Failure::Cipher(other.to_owned())),
    }?;
    let base64 = Zeroizing::new(BASE64.encode(&bytes[..length]));
    // With the room there from the start, it does not move, and leaves no copy behind.
    let mut pem = Zeroizing::new(String::with_capacity(base64.len() + 2 * label.len() + 64));
    for part in ["-----BEGIN ", label, "-----\n", &base64, "\n-----END ", label, "-----\n"] {
        pem.push_str(part);
    }
    Ok(pem)
}

/// Decrypts in place; how many bytes the key has.
fn decrypt<C: KeyIvInit + BlockModeDecrypt>(
    key_length: usize,
    passphrase: &[u8],
    iv: &[u8],
    bytes: &mut [u8],
) -> Result<usize, Failure> {
    let salt = iv.get(..8).ok_or(Failure::Broken)?;
    // EVP_BytesToKey with MD5 and one round.
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    while key.len() < key_length {
        let mut hash = md5::Context::new();
        hash.consume(&key[key.len().saturating_sub(16)..]);
        hash.consume(passphrase);
        hash.consume(salt);
        key.extend_from_slice(&hash.finalize().0);
    }
    let cipher = C::new_from_slices(&key[..key_length], iv).map_err(|_| Failure::Broken)?;
    cipher.decrypt_padded::<Pkcs7>(bytes).map(<[u8]>::len).map_err(|_| Failure::Wrong)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    let end = text[start..].find(after)? + start;
    Some(&text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_key_is_told_apart() {
        let head = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
        let with = |info: &str, body: &str| {
            format!("{head}DEK-Info: {info}\n\n{body}\n-----END RSA PRIVATE KEY-----\n")
        };
        assert!(is_locked(head) && !is_locked("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"));
        let iv = "00112233445566778899AABBCCDDEEFF";
        let body = "AAAAAAAAAAAAAAAAAAAAAA==";
        for (text, failure) in [
            (with(&format!("AES-256-CBC,{iv}"), body), Failure::Wrong),
            (with(&format!("AES-256-CBC,{iv}"), "AAAA"), Failure::Wrong),
            (with(&format!("RC2-CBC,{iv}"), body), Failure::Cipher("RC2-CBC".to_owned())),
            (with("AES-256-CBC,0011", body), Failure::Broken),
            (with("AES-256-CBC", body), Failure::Broken),
            (head.to_owned(), Failure::Broken),
        ] {
            assert_eq!(unlock(&text, b"open sesame").unwrap_err(), failure, "{text}");
        }
    }
}
