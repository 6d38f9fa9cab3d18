//! Credentials in addresses: logins, tokens in the place of a user, and what queries set to names
//! that tell (RFC 3986, sections 3.2.1 and 3.4; passwords that should have been encoded, too).

use zeroize::Zeroizing;

use crate::address::decoded;
use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::keys::telling;
use crate::mask::policy;

/// Names in queries that tell and don't look like it: of shared access signatures and signed
/// addresses.
const SIGNATURES: &[&str] = &["sig", "signature", "x-amz-signature", "x-goog-signature", "code"];

/// Names of a login whose secret is the other one of user and password.
const BASIC: &[&[u8]] = &[b"x-oauth-basic", b"x-access-token", b"oauth2"];

/// All credentials in a text, each as it is written and as it is meant.
pub(super) fn credentials(text: &[u8]) -> Vec<Encoded> {
    let mut found = Vec::new();
    for word in text.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>')) {
        let starts = word.windows(3).enumerate().filter(|(_, at)| *at == b"://").map(|(at, _)| at + 3);
        let starts: Vec<usize> = starts.collect();
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(word.len(), |next| next - 3);
            login(&word[start..end], &mut found);
        }
        if starts.is_empty() {
            go_login(word, &mut found);
        }
        query(word, &mut found);
    }
    found
}

/// The login that stands before the `@` of what follows `://`.
fn login(rest: &[u8], found: &mut Vec<Encoded>) {
    let is_end = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
    let authority = rest.split(is_end).next().unwrap_or_default();
    if let Some(at) = authority.iter().rposition(|&byte| byte == b'@') {
        of_login(&authority[..at], found);
        return;
    }
    // A password with `/`, `?` or `#` in it, which is not a port with a path behind it.
    let Some(colon) = authority.iter().position(|&byte| byte == b':') else { return };
    if !authority[colon + 1..].iter().all(u8::is_ascii_digit) {
        let mut ends = (0..rest.len()).filter(|&at| rest[at] == b'@');
        let (first, last) = (ends.next(), ends.next_back());
        for at in first.into_iter().chain(last) {
            of_login(&rest[..at], found);
        }
    }
}

/// `user:password@tcp(host)/name`, as a driver for Go has it.
fn go_login(word: &[u8], found: &mut Vec<Encoded>) {
    let at = [&b"@tcp("[..], b"@unix("]
        .iter()
        .find_map(|open| word.windows(open.len()).rposition(|at| at == *open));
    if let Some(at) = at {
        of_login(&word[..at], found);
    }
}

/// The password, or a user who is alone and looks like a token.
fn of_login(login: &[u8], found: &mut Vec<Encoded>) {
    let (user, password) = match login.iter().position(|&byte| byte == b':') {
        Some(colon) => (&login[..colon], &login[colon + 1..]),
        None => (login, &b""[..]),
    };
    if !password.is_empty() && !BASIC.contains(&password) {
        both(password, found);
    } else if user.len() >= policy::LONG && policy::looks_random(user) {
        both(user, found);
    }
}

/// What is set to telling names behind `?` and `&`, or in a text that begins with such a setting.
fn query(word: &[u8], found: &mut Vec<Encoded>) {
    for pair in word.split(|byte| matches!(byte, b'?' | b'&' | b'#' | b';')) {
        let Some(equals) = pair.iter().position(|&byte| byte == b'=') else { continue };
        let Ok(name) = std::str::from_utf8(&pair[..equals]) else { continue };
        let tells = telling(name) || SIGNATURES.iter().any(|known| name.eq_ignore_ascii_case(known));
        // What stands before the first of them is not a name.
        if tells && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte)) {
            both(&pair[equals + 1..], found);
        }
    }
}

/// A credential as it is written, and as it is meant.
fn both(written: &[u8], found: &mut Vec<Encoded>) {
    let keep = |bytes: &[u8]| form(bytes.len(), |out| out.extend_from_slice(bytes));
    found.push(keep(written));
    let meant: Zeroizing<Vec<u8>> = std::str::from_utf8(written).map(decoded).unwrap_or_default();
    if !meant.is_empty() && *meant != written {
        found.push(keep(&meant));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        credentials(text.as_bytes()).iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    // case B4
    #[test]
    fn credentials_are_found_as_written_and_as_meant() {
        for (text, parts) in [
            ("postgres://app:s3cr3t@db/x", &["s3cr3t"][..]),
            ("postgres://app:p%40ss%2Fword@db/x", &["p%40ss%2Fword", "p@ss/word"]),
            ("postgres://app:pa/ss#wo?rd@db:5432/x", &["pa/ss#wo?rd"]),
            ("postgres://app:pa@ss@db/x", &["pa@ss"]),
            ("redis://:r4w/pa#ssw0rdX@h:6379/0", &["r4w/pa#ssw0rdX"]),
            ("https://ghp_QxZtNbVkLmPw@github.com/a/b", &["ghp_QxZtNbVkLmPw"]),
            ("https://ghp_QxZtNbVkLmPw:x-oauth-basic@github.com/a/b", &["ghp_QxZtNbVkLmPw"]),
            ("https://x-access-token:ghs_QxZtNbVk@github.com", &["ghs_QxZtNbVk"]),
            ("redis://:hunter22@cache:6379/0", &["hunter22"]),
            ("amqp://a:first-1@h1,amqp://a:second-2@h2", &["first-1", "second-2"]),
            ("mongodb://a:hunter22@h1:27017,h2:27017/db?authSource=admin", &["hunter22", "admin"]),
            ("root:hunter22@tcp(db:3306)/x", &["hunter22"]),
            ("https://db.example/?user=a&password=hunt%2Ber2", &["hunt%2Ber2", "hunt+er2"]),
            ("https://a.blob.example/c?sv=2024&se=2026&sig=abc%2Fdef%3D", &["abc%2Fdef%3D", "abc/def="]),
            ("https://example.org:8080/x@y", &[]),
            ("https://example.org/a:b@c", &[]),
            ("ssh://git@github.com/a/b?mode=full", &[]),
            ("plain text", &[]),
        ] {
            assert_eq!(found(text), parts, "{text}");
        }
    }
}
