//! What a value consists of: lines, members, passwords in URLs. Each is a secret of its own when
//! a program prints it alone.

use serde_json::Value;

use crate::secret::mask::encode::Form;
use crate::secret::mask::encode::form;
use crate::secret::mask::policy;

/// A part of a value.
pub(super) struct Part {
    /// The bytes.
    pub(super) bytes: Form,
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

/// The parts of `value`, itself not among them.
pub(super) fn parts(value: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let text = value.trim_ascii();
    if matches!(text.first(), Some(b'{' | b'['))
        && let Ok(tree) = serde_json::from_slice::<Value>(text)
    {
        leaves("", tree, &mut parts);
    } else if text.contains(&b'\n') {
        text.split(|&byte| byte == b'\n').for_each(|at| line(at.trim_ascii(), &mut parts));
    } else {
        url(text, &mut parts);
    }
    parts
}

fn part(bytes: &[u8], whole: bool) -> Part {
    Part { bytes: form(bytes.len(), |out| out.extend_from_slice(bytes)), whole }
}

/// The strings of a JSON value. It is taken apart so that each string is wiped after use.
fn leaves(key: &str, tree: Value, parts: &mut Vec<Part>) {
    match tree {
        Value::String(text) => {
            let text = zeroize::Zeroizing::new(text);
            let bytes = text.trim().as_bytes();
            let enough = if telling(key) { policy::SHORTEST } else { policy::LONG };
            if bytes.len() >= enough && !PUBLIC.contains(&key) {
                parts.push(part(bytes, true));
                parts.extend(self::parts(bytes));
            }
        }
        Value::Array(items) => items.into_iter().for_each(|item| leaves(key, item, parts)),
        Value::Object(members) => {
            members.into_iter().for_each(|(key, member)| leaves(&key, member, parts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn telling(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    TELLING.iter().any(|word| key.contains(word))
}

/// A line of a multi-line value: as it is, or, where it is a setting, what is set.
fn line(line: &[u8], parts: &mut Vec<Part>) {
    let armour = line.starts_with(b"-----") && line.ends_with(b"-----");
    let section = line.starts_with(b"[") && line.ends_with(b"]");
    if armour || section || line.starts_with(b"#") {
        return;
    }
    match setting(line) {
        Some((key, set)) => {
            let random = set.len() >= LINE && policy::looks_random(set);
            if random || (set.len() >= policy::LONG && telling(key)) {
                parts.push(part(set, true));
            }
            url(set, parts);
        }
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
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let key = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
    let set = &line[at + 1..];
    let spaced = set.first().is_none_or(u8::is_ascii_whitespace);
    let named =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    // The padding of base64 at the end of a line is no setting.
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
    let Some(start) = text.windows(3).position(|at| at == b"://") else { return };
    let authority = &text[start + 3..];
    let end = authority.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(authority.len());
    let Some(host) = authority[..end].iter().rposition(|&byte| byte == b'@') else { return };
    let Some(user) = authority[..host].iter().position(|&byte| byte == b':') else { return };
    let password = &authority[user + 1..host];
    if password.len() >= policy::LONG {
        parts.push(part(password, true));
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
    fn passwords_in_urls() {
        assert_eq!(found("postgres://app:s3cr3t-pass@db/x"), [("s3cr3t-pass".into(), true)]);
        assert_eq!(found("https://example.org/a:b@c"), []);
    }
}
