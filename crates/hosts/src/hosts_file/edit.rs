//! Changing one entry of a `hosts.toml`: comments, order and spelling of the rest stay as they are.

use toml_edit::DocumentMut;
use toml_edit::TableLike;
use toml_edit::value;

use crate::Trust;

/// The text with the trust of a host set. None if it has no such host, or is not well-formed.
pub fn with_trust(text: &str, name: &str, trust: Trust) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let host = hosts(&mut document)?.get_mut(name)?.as_table_like_mut()?;
    match host.get_mut("trust").and_then(|item| item.as_value_mut()) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = trust.word().into();
            *old.decor_mut() = decor;
        }
        None => drop(host.insert("trust", value(trust.word()))),
    }
    Some(document.to_string())
}

/// The text without a host, and without the comment above it. None if it has no such host, or is not
/// well-formed.
pub fn without_host(text: &str, name: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    hosts(&mut document)?.remove(name)?;
    Some(document.to_string())
}

fn hosts(document: &mut DocumentMut) -> Option<&mut dyn TableLike> {
    document.get_mut("hosts")?.as_table_like_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\n\n# the big one\n[hosts.gpu-a] # H100\nhostname = \"192.0.2.1\"\n\
                        trust   = 'rented'  # for now\nenv = { A = \"1\" }\n\n# the other\n[hosts.\"gpu.b\"]\nhostname = \"192.0.2.2\"\n\n\
                        [hosts.\"gpu.b\".env]\nA = \"2\"\n";

    #[test]
    fn one_word_changes_and_all_else_stays() {
        let changed = with_trust(TEXT, "gpu-a", Trust::Owned).unwrap();
        assert_eq!(changed, TEXT.replace("'rented'", "\"owned\""));
        let added = with_trust(TEXT, "gpu.b", Trust::Shared).unwrap();
        assert_eq!(added, TEXT.replace("\"192.0.2.2\"\n", "\"192.0.2.2\"\ntrust = \"shared\"\n"));
        assert_eq!(with_trust(TEXT, "gpu-c", Trust::Owned), None);
        let inline = "hosts = { a = { hostname = \"192.0.2.1\" } }\n";
        assert!(with_trust(inline, "a", Trust::Owned).unwrap().contains("trust = \"owned\""));
    }

    #[test]
    fn a_host_goes_with_its_comment() {
        let left = without_host(TEXT, "gpu.b").unwrap();
        assert_eq!(left, TEXT.split("\n# the other").next().unwrap());
        assert!(without_host(TEXT, "gpu-a").unwrap().starts_with("\n# the other\n[hosts.\"gpu.b\"]"));
        assert_eq!(without_host(TEXT, "gpu-c"), None);
    }
}
