//! `[NAMESPACE/]NAME[#KEY]`.

use std::fmt;

use doppio_secrets::source::SourceError;

/// Which value is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// None for that of the settings, the context or the service account.
    pub namespace: Option<&'a str>,
    pub name: &'a str,
    pub key: Option<&'a str>,
}

impl<'a> Path<'a> {
    /// Reads a path, by the rules of Kubernetes: a namespace is a label and a name a subdomain of
    /// RFC 1123, a key is letters, digits, `-`, `_` and `.`.
    pub(super) fn parse(text: &'a str) -> Result<Self, SourceError> {
        let (secret, key) = match text.split_once('#') {
            Some((secret, key)) => (secret, Some(key)),
            None => (text, None),
        };
        let (namespace, name) = match secret.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, secret),
        };
        let unfit = |part: &str, what: &str, rule: &str| {
            Err(SourceError::unfit(format!("`{part}` in `{text}` is not {what}: use {rule}")))
        };
        if let Some(part) = namespace.filter(|part| !is_subdomain(part, 63) || part.contains('.')) {
            return unfit(part, "a namespace", "lowercase letters, digits and `-`, at most 63");
        }
        if !is_subdomain(name, 253) {
            return unfit(name, "the name of a Secret", "lowercase letters, digits, `-` and `.`");
        }
        if let Some(part) = key.filter(|part| !is_key(part)) {
            return unfit(part, "a key of a Secret", "letters, digits, `-`, `_` and `.`");
        }
        Ok(Self { namespace, name, key })
    }
}

fn is_subdomain(text: &str, longest: usize) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.iter().all(|&byte| is_inner(byte) || byte == b'-')
            && bytes.first().is_some_and(|&byte| is_inner(byte))
            && bytes.last().is_some_and(|&byte| is_inner(byte))
    };
    text.len() <= longest && text.split('.').all(is_label)
}

fn is_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text != "."
        && !text.starts_with("..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The Secret, without its key.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_path() {
        let path = Path::parse("ml-prod/db.v2#tls.crt").unwrap();
        assert_eq!((path.namespace, path.name, path.key), (Some("ml-prod"), "db.v2", Some("tls.crt")));
        let path = Path::parse("db").unwrap();
        assert_eq!((path.namespace, path.name, path.key), (None, "db", None));
    }

    #[test]
    fn what_is_no_path_says_which_part() {
        let error = |text: &str| Path::parse(text).unwrap_err().to_string();
        assert!(error("Prod/db").starts_with("`Prod` in `Prod/db` is not a namespace"));
        assert!(error("a.b/db").contains("is not a namespace"));
        assert!(error("ns/a/b").starts_with("`a/b` in"));
        assert!(error("ns/..").contains("the name of a Secret"));
        assert!(error("hf_token").contains("the name of a Secret"));
        assert!(error("db#a b").contains("is not a key"));
        assert!(error("db#").contains("is not a key"));
        assert!(error(&"a".repeat(254)).contains("the name of a Secret"));
    }
}
