//! The parts of a value: lines, members, passwords in URLs. Each is a secret by itself when a
//! program prints it alone.

use crate::address;
use crate::format;
use crate::format::Scalar;
use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::policy;

/// A part of a value.
pub(super) struct Part {
    /// The bytes.
    pub(super) bytes: Encoded,
    /// Masked in all encodings, not only as it is.
    pub(super) whole: bool,
}

/// Lines shorter than this are left alone: they are too often punctuation. In bytes.
const LINE: usize = 12;

/// Members of structured credentials that every such file has alike.
const PUBLIC: &[&str] = &[
    "type",
    "auth_uri",
    "token_uri",
    "auth_provider_x509_cert_url",
    "universe_domain",
    "apiVersion",
    "kind",
    "region",
];

/// What a key is called whose value is secret however it looks.
const TELLING: &[&str] = &["pass", "secret", "token", "key", "auth", "cred", "pwd"];

/// Documents within documents that are taken apart.
const DEEPEST: u8 = 3;

/// Words of keys that only look like those.
const HARMLESS: &[&str] =
    &["author", "authors", "authentication", "authority", "keyring", "keyboard", "monkey", "tokenizer"];

/// What a key ends with that says of which kind a secret is, and not what it is.
const KINDS: &[&str] = &["type", "mode", "method", "scheme", "algorithm"];

/// The parts of `value`, itself not among them.
pub(super) fn parts(value: &[u8]) -> Vec<Part> {
    parts_of(value, DEEPEST)
}

/// The same for a document with so many others around it as are left.
fn parts_of(value: &[u8], left: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    let text = value.trim_ascii();
    if let Some(found) = format::json_scalars(text) {
        for scalar in &found {
            member(scalar, text, left, &mut parts);
        }
        return parts;
    }
    // All forms that it can have are tried, and its lines as well: how it will be taken apart is
    // unknown.
    for scalar in std::str::from_utf8(text).map(format::scalars).unwrap_or_default() {
        set(&scalar.key, &scalar.text, scalar.is_item, &mut parts);
        within(&scalar.text, text, left, &mut parts);
    }
    if text.contains(&b'\n') {
        text.split(|&byte| byte == b'\n').for_each(|at| line(at.trim_ascii(), &mut parts));
    } else {
        one_line(text, &mut parts);
    }
    parts
}

/// The parts of a part: a document is taken apart as the whole is. What escapes made longer than
/// the whole is none.
fn within(bytes: &[u8], whole: &[u8], left: u8, parts: &mut Vec<Part>) {
    let is_document = bytes.contains(&b'\n') || matches!(bytes.first(), Some(b'{' | b'['));
    if is_document && bytes.len() < whole.len() && left > 0 {
        parts.extend(parts_of(bytes, left - 1));
    } else {
        one_line(bytes, parts);
    }
}

fn one_line(text: &[u8], parts: &mut Vec<Part>) {
    match setting(text) {
        Some((key, value)) => set(key, value, false, parts),
        None => url(text, parts),
    }
}

fn part(bytes: &[u8], whole: bool) -> Part {
    Part { bytes: form(bytes.len(), |out| out.extend_from_slice(bytes)), whole }
}

/// A text or number of a JSON value.
fn member(scalar: &Scalar, whole: &[u8], left: u8, parts: &mut Vec<Part>) {
    let bytes = scalar.text.trim_ascii();
    let enough = if telling(&scalar.key) { policy::SHORTEST } else { policy::LONG };
    if bytes.len() >= enough && !PUBLIC.contains(&scalar.key.as_str()) {
        parts.push(part(bytes, true));
        within(bytes, whole, left, parts);
    }
}

/// What is set to a key by another form than JSON, in which plain words are more usual.
fn set(key: &str, value: &[u8], is_item: bool, parts: &mut Vec<Part>) {
    let value = value.trim_ascii();
    let is_told = telling(key) && is_uncommon(value);
    let is_random = value.len() >= LINE && policy::looks_random(value);
    if !PUBLIC.contains(&key) && (is_told || is_random || is_item && value.len() >= LINE) {
        parts.push(part(value, true));
    }
    url(value, parts);
    // `Server=…;Password=…`
    if value.contains(&b';') {
        for (key, value) in value.split(|&byte| byte == b';').filter_map(setting) {
            set(key, value, false, parts);
        }
    }
}

/// Whether a value under a telling key is one: no plain short word, as in `auth = basic`, and no
/// short number.
fn is_uncommon(value: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    value.len() >= policy::LONG
        || value.len() >= policy::SHORTEST && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
        || value.len() >= format::DIGITS && value.iter().all(u8::is_ascii_digit)
}

pub(crate) fn telling(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let tells = |word: &str| TELLING.iter().any(|part| word.contains(part)) && !HARMLESS.contains(&word);
    !words.clone().next_back().is_some_and(|last| KINDS.contains(&last)) && words.any(tells)
}

/// A line of a multi-line value: as it is, or, where it is a setting, what is set.
fn line(line: &[u8], parts: &mut Vec<Part>) {
    let armour = line.starts_with(b"-----") && line.ends_with(b"-----");
    let section = line.starts_with(b"[") && line.ends_with(b"]");
    if armour || section || line.starts_with(b"#") {
        return;
    }
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    match setting(line) {
        Some((key, value)) => set(key, value, false, parts),
        None if line.len() >= LINE => {
            parts.push(part(line, false));
            url(line, parts);
        }
        None => {}
    }
}

/// `key = value` or `key: value`, `export key=value`, without quotes.
fn setting(line: &[u8]) -> Option<(&str, &[u8])> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let key = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
    let set = &line[at + 1..];
    let spaced = set.first().is_none_or(u8::is_ascii_whitespace);
    let named =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    // The padding of base64 at the end of a line is not a setting.
    let padding = set.iter().all(|&byte| byte == b'=') && line[at] == b'=' && !spaced || set.is_empty();
    if !named || padding || (line[at] == b':' && !spaced) {
        return None;
    }
    let set = set.trim_ascii();
    let quoted = |quote: u8| set.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    Some((key, quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(set)))
}

/// The password of `scheme://user:password@host`.
fn url(text: &[u8], parts: &mut Vec<Part>) {
    let Some(login) = address::login(text) else { return };
    let Some(user) = login.iter().position(|&byte| byte == b':') else { return };
    if login[user + 1..].len() >= policy::LONG {
        parts.push(part(&login[user + 1..], true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Vec<(String, bool)> {
        let text = |part: &Part| String::from_utf8_lossy(&part.bytes).into_owned();
        parts(value.as_bytes()).iter().map(|part| (text(part), part.whole)).collect()
    }

    #[test]
    fn members_of_json_but_not_its_punctuation() {
        let value = r#"{"type": "service_account", "db": [{"password": "hunter2"}, {"host": "db.example.org"}], "n": 5}"#;
        assert_eq!(found(value), [("hunter2".into(), true), ("db.example.org".into(), true)]);
    }

    #[test]
    fn lines_but_not_armour() {
        let pem = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0Z3\nqQ==\nshort\nabcdefghijklmnopqr==\n-----END KEY-----\n";
        assert_eq!(
            found(pem),
            [("MIIEpAIBAAKCAQEA0Z3".into(), false), ("abcdefghijklmnopqr==".into(), false)]
        );
    }

    #[test]
    fn what_a_setting_sets() {
        let file = "[default]\naws_secret_access_key = wJalrXUtnFEMI\nregion = us-east-1\nexport HF_TOKEN='abcdefgh'\nkind: Config\n";
        assert_eq!(found(file), [("wJalrXUtnFEMI".into(), true), ("abcdefgh".into(), true)]);
    }

    #[test]
    fn what_a_single_line_sets() {
        for line in [
            "API_KEY=abcdef123456zz",
            "export API_KEY='abcdef123456zz' # c",
            "API_KEY: \"abcdef123456zz\"",
            "api_key = 'abcdef123456zz'",
            "Server=db;User=app;Password=abcdef123456zz",
            "{api_key: abcdef123456zz, n: 5}",
        ] {
            assert!(found(line).contains(&("abcdef123456zz".into(), true)), "{line}: {:?}", found(line));
        }
        for line in [
            "abc=def==",
            "correct horse: battery staple",
            "YWJjZGVmZ2hpamtsbW5vcA==",
            "auth=basic",
            "MODE=production",
            "auth_port: 5432",
            "author: Alice",
            "tokenizer=sentencepiece",
            "monkey=production",
            "authentication=activedirectory",
            "token_type=bearer-token",
        ] {
            assert_eq!(found(line), [], "{line}");
        }
    }

    #[test]
    fn numbers_items_and_inline_tables() {
        for text in [
            r#"{"password": 8675309, "port": 5432}"#,
            r#"{"passwords": [8675309]}"#,
            "password: 8675309\nport: 5432\n",
            "{password: 8675309}",
            "password = 8675309\nport = 5432\n",
            "a = { passwords = [8675309] }\n",
        ] {
            let found = found(text);
            assert!(found.iter().all(|part| *part == ("8675309".into(), true)), "{text}: {found:?}");
            assert!(!found.is_empty(), "{text}");
        }
        let huge = "86753098675309867530986753098675309";
        assert!(found(&format!("{{\"password\": {huge}}}")).contains(&(huge.into(), true)));
        for text in [
            "hosts:\n  - tok-hunter-aaaa\n  - 'tok-hunter-bbbb'\n",
            "hosts = [\"tok-hunter-aaaa\", 'tok-hunter-bbbb']\n",
            "- tok-hunter-aaaa\n- deep: [tok-hunter-bbbb]\n",
        ] {
            for item in ["tok-hunter-aaaa", "tok-hunter-bbbb"] {
                assert!(found(text).contains(&(item.into(), true)), "{text}: {:?}", found(text));
            }
        }
        assert!(found("a = { secret = \"inl-sec-1\" }\n").contains(&("inl-sec-1".into(), true)));
        let nested = "config: |\n  token: hunterhunter\n  mode: production\n";
        assert!(found(nested).contains(&("hunterhunter".into(), true)));
    }

    #[test]
    fn no_text_goes_round_in_circles() {
        let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
        for text in [
            nested("[", "]"),
            nested("{\"a\":", "}"),
            nested("{a: ", "}"),
            format!("a = {}", nested("{a=", "}")),
        ] {
            assert!(found(&text).len() < 100_000);
        }
        for text in ["A=".repeat(50_000), "[".repeat(50_000), "a: ".repeat(50_000), "- ".repeat(50_000)] {
            assert!(found(&text).len() < 100_000);
        }
    }

    #[test]
    fn passwords_in_urls() {
        assert_eq!(found("postgres://app:s3cr3t-pass@db/x"), [("s3cr3t-pass".into(), true)]);
        assert_eq!(found("https://example.org/a:b@c"), []);
    }
}
