//! Addresses with a login in them: `https://user:password@host` (RFC 3986, section 3.2.1).

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::value::SHORTEST;

/// What is secret in an address: all that stands before the `@`, and the password in it as it is
/// written and as it is meant. A user without a password may be a token.
pub(crate) fn secrets(address: &str) -> Vec<SecretValue> {
    let Some(login) = login(address.as_bytes()).and_then(|login| std::str::from_utf8(login).ok()) else {
        return Vec::new();
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    if password.is_empty() && user.len() < SHORTEST {
        return Vec::new();
    }
    let secret = if password.is_empty() { user } else { password };
    let mut all = vec![SecretValue::new(login.as_bytes().to_vec())];
    for form in [secret.as_bytes().to_vec(), decoded(secret).to_vec()].map(SecretValue::new) {
        if all.iter().all(|known| !known.is_same(&form)) {
            all.push(form);
        }
    }
    all
}

/// What stands before the `@` of the first address in a text.
pub(crate) fn login(text: &[u8]) -> Option<&[u8]> {
    let start = text.windows(3).position(|at| at == b"://")? + 3;
    let authority = text[start..].split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()?;
    Some(&authority[..authority.iter().rposition(|&byte| byte == b'@')?])
}

/// A part of an address without its percent-encoding.
pub(crate) fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_secret_as_a_whole_and_by_its_password() {
        let of = |address: &str| -> Vec<String> {
            let text = |value: &SecretValue| String::from_utf8(value.plain().to_vec()).unwrap();
            secrets(address).iter().map(text).collect()
        };
        assert_eq!(of("https://up:hunter22@p.example/simple"), ["up:hunter22", "hunter22"]);
        assert_eq!(of("https://up:p%40ss@p.example"), ["up:p%40ss", "p%40ss", "p@ss"]);
        assert_eq!(of("https://a-token:@p.example"), ["a-token:", "a-token"]);
        assert_eq!(of("https://a-token@p.example"), ["a-token"]);
        for plain in ["https://p.example/a:b@c", "https://me@p.example", "p.example", ""] {
            assert!(of(plain).is_empty(), "{plain}");
        }
    }
}
