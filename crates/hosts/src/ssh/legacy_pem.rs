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
    // The padding of the last block can be right by chance.
    if !is_sequence(&bytes[..length]) {
        return Err(Failure::Wrong);
    }
    let base64 = Zeroizing::new(BASE64.encode(&bytes[..length]));
    // With the room there from the start, it does not move, and leaves no copy behind.
    let mut pem = Zeroizing::new(String::with_capacity(base64.len() + 2 * label.len() + 64));
    for part in ["-----BEGIN ", label, "-----\n", &base64, "\n-----END ", label, "-----\n"] {
        pem.push_str(part);
    }
    Ok(pem)
}

/// Whether bytes are one `SEQUENCE` of DER (X.690, 8.1.3) from their beginning to their end, as each of these
/// keys is.
fn is_sequence(der: &[u8]) -> bool {
    let Some((&0x30, [first, rest @ ..])) = der.split_first() else { return false };
    let Some((length, content)) = (match first {
        0..=0x7f => Some((usize::from(*first), rest)),
        0x81..=0x83 => rest.split_at_checked(usize::from(first & 0x7f)).map(|(length, content)| {
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), content)
        }),
        _ => None,
    }) else {
        return false;
    };
    content.len() == length
}

/// Decrypts in place; how many bytes the key has.
fn decrypt<C: KeyIvInit + BlockModeDecrypt>(
    key_length: usize,
    passphrase: &[u8],
    iv: &[u8],
    bytes: &mut [u8],
) -> Result<usize, Failure> {
    let key = derive(key_length, passphrase, iv.get(..8).ok_or(Failure::Broken)?);
    let cipher = C::new_from_slices(&key[..key_length], iv).map_err(|_| Failure::Broken)?;
    cipher.decrypt_padded::<Pkcs7>(bytes).map(<[u8]>::len).map_err(|_| Failure::Wrong)
}

/// `EVP_BytesToKey` with MD5 and one round.
fn derive(key_length: usize, passphrase: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    while key.len() < key_length {
        let mut hash = md5::Context::new();
        hash.consume(&key[key.len().saturating_sub(16)..]);
        hash.consume(passphrase);
        hash.consume(salt);
        key.extend_from_slice(&hash.finalize().0);
    }
    key
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    let end = text[start..].find(after)? + start;
    Some(&text[start..end])
}

#[cfg(test)]
mod tests {
    use cbc::Encryptor;
    use cbc::cipher::BlockModeEncrypt;

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

    /// A key as `openssl … -aes128` writes it.
    fn locked(label: &str, der: &[u8]) -> String {
        let iv = [0x5a; 16];
        let key = derive(16, b"open sesame", &iv[..8]);
        let cipher = Encryptor::<Aes128>::new_from_slices(&key[..16], &iv).unwrap();
        let mut bytes = vec![0; der.len() + 16];
        bytes[..der.len()].copy_from_slice(der);
        let sealed = cipher.encrypt_padded::<Pkcs7>(&mut bytes, der.len()).unwrap();
        format!(
            "-----BEGIN {label}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n\n{}\n-----END {label}-----\n",
            data_encoding::HEXUPPER.encode(&iv),
            BASE64.encode(sealed)
        )
    }

    // case E2
    #[test]
    fn what_is_decrypted_by_chance_is_not_a_key() {
        let whole = [0x30, 3, 2, 1, 1];
        assert!(unlock(&locked("EC PRIVATE KEY", &whole), b"open sesame").is_ok());
        for by_chance in [
            &[][..],
            &[0x30],
            &[0x30, 4, 2, 1, 1],
            &[0x30, 2, 2, 1, 1],
            &[0x31, 3, 2, 1, 1],
            &[0x30, 0x84, 1],
        ] {
            assert!(!is_sequence(by_chance), "{by_chance:?}");
            let text = locked("EC PRIVATE KEY", by_chance);
            assert_eq!(unlock(&text, b"open sesame").unwrap_err(), Failure::Wrong);
        }
        let long = [&[0x30, 0x82, 1, 0][..], &[0; 256]].concat();
        assert!(is_sequence(&long) && is_sequence(&[&[0x30, 0x81, 200][..], &[0; 200]].concat()));
        assert!(!is_sequence(&long[..259]));
    }

    // case E2
    #[test]
    fn a_kind_of_key_that_is_not_supported_is_named() {
        use crate::ssh::key_file;
        use crate::ssh::key_file::Opened;
        // A DSA key is six numbers; one of SEC 1 (RFC 5915) has the curve behind the number.
        let dsa: Vec<u8> = [&[0x30, 18][..], &[2, 1, 1].repeat(6)].concat();
        let curve = [0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 10];
        let secp256k1 = [&[0x30, 46, 2, 1, 1, 4, 32][..], &[7; 32], &curve].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (label, der, kind) in [
            ("DSA PRIVATE KEY", dsa, "a DSA key"),
            ("EC PRIVATE KEY", secp256k1, "an ECDSA key of the curve secp256k1"),
        ] {
            std::fs::write(&path, locked(label, &der)).unwrap();
            let told = match key_file::open(&path, "open sesame") {
                Opened::Unsupported(why) => why,
                other => panic!("{label}: {other:?}"),
            };
            assert_eq!(told, format!("it is {kind}, which is not supported"));
            assert!(matches!(key_file::open(&path, "close sesame"), Opened::Wrong));
        }
    }
}
