//! Values that are only placeholders, as in templates.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::SecretValue;
use crate::vendor;

/// What stands in templates where a value should be.
const PLACEHOLDER: &str = r"(?xi-u)^\s*(
    ['\x22]?<[^<>]*>['\x22]? | \$\{[a-z_][a-z0-9_]*\} | \$(?-i:[A-Z_][A-Z0-9_]*) | \{\{.*\}\} |
    \[[a-z\ _-]*\] | (\S*[_-])?x{4,} | \*{3,} | \.{3,} |
    (\S*[_-]|.{0,24}\ )?your[\ _-]([a-z]+[\ _-]){0,4}
        (token|key|secret|password|passphrase|value|credentials?|id|name|here)([\ _-]here)? |
    (paste|put|enter|add|set|fill)[\ _-](in[\ _-])?(your|the|a)?[\ _-]?([a-z]+[\ _-]){0,3}(here|in) |
    my[\ _-]([a-z]+[\ _-]){0,2}(token|key|secret|password|passphrase) | (token|key|secret|password)[\ _-]here |
    n/?a | x{3} | -+ | _+ | \?+ | (please[\ _-]?)?change[\ _-]?(me|this|it) | replace[\ _-]?(me|this|with.*) |
    insert[\ _-].*here | .*[\ _-](goes|token|key|secret|password)[\ _-]here | todo | fixme | tbd | none | null |
    undefined | unset | empty | example | placeholder | dummy | secret | password | token | api[\ _-]?key
    )\s*$";

/// What stands in the address of a database or a service in templates: the login and the host are only
/// words for one.
const ADDRESS: &str = r"(?xi-u)^\s*['\x22]?[a-z][a-z0-9+.-]*://(
    [<{\[(]?(user|username|login|your[_-]?user(name)?|me)[>}\])]? :
    [<{\[(]?(pass|passwd|password|pwd|your[_-]?pass(word)?|secret|xx+|\*+)[>}\])]? @
    [<{\[(]?(host|hostname|server|your[_-]?host|your[_-]?server|db[_-]?host|
        ([a-z0-9-]+\.)*example(\.(com|org|net))?)[>}\])]?
        (:(\d+|port|<port>))?(/.*)? | [^/]*<[^<>]+>.* )['\x22]?\s*$";

/// How a template ends that leaves the rest out, as in `sk-ant-...`.
const ENDS: [&str; 3] = ["...", "\u{2026}", "***"];

/// What an example of a token has between its beginning and its end, at most. In bytes.
const BODY: usize = 8;

/// No template has a longer one. In bytes.
const LONGEST_PLACEHOLDER: usize = 128;

/// Whether the value is only a placeholder, as `your_token_here` or `sk-...`: the one test of it, for all
/// that store, import and warn.
pub fn is_dummy(value: &SecretValue) -> bool {
    static PATTERNS: LazyLock<[Regex; 2]> =
        LazyLock::new(|| [PLACEHOLDER, ADDRESS].map(|pattern| Regex::new(pattern).expect("a test reads it")));
    let bytes = value.plain();
    let is_like = || PATTERNS.iter().any(|pattern| pattern.is_match(bytes));
    bytes.len() <= LONGEST_PLACEHOLDER && (is_left_out(bytes) || is_like())
}

/// Whether nothing is lost without the value: a template ends where its secret would begin, as `sk-...`. What
/// only reads like a placeholder, as `my-secret-password`, may be somebody's.
pub fn is_open_template(value: &SecretValue) -> bool {
    is_left_out(value.plain())
}

/// Whether a text ends where its secret would begin: `sk-...`, `postgresql://...`, `hf_abc...`.
fn is_left_out(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text = text.trim().trim_matches(['"', '\'']);
    let Some(begin) = ENDS.iter().find_map(|end| text.strip_suffix(end)) else { return false };
    let begin = begin.trim_end_matches(['.', '*', '\u{2026}']);
    if begin.contains(char::is_whitespace) || begin.contains("://") && begin.contains('@') {
        return false;
    }
    let is_begun = |prefix: &str| begin.strip_prefix(prefix).is_some_and(|body| body.len() <= BODY);
    begin.is_empty()
        || begin.ends_with(['-', '_', '/', ':', '='])
        || begin.contains("://")
        || vendor::prefixes().chain(["eyJ"]).any(is_begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "your_token_here",
            "<token>",
            "hf_xxxxxxxxxxxx",
            "changeme",
            "CHANGE_ME",
            "${HF_TOKEN}",
            "$HF_TOKEN",
            "REPLACE_WITH_YOUR_KEY",
            "sk-your-key",
            "insert token here",
            "***",
            "put your key",
            "TODO",
            "[your token]",
            "[YOUR_API_KEY]",
            "your-token-goes-here",
            "sk-your-openai-api-key",
            "YOUR_HF_TOKEN",
            "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxx",
            "{{ token }}",
            // case J11
            "sk-...",
            "sk-ant-...",
            "sk-proj-abc123...",
            "hf_...",
            "ghp_\u{2026}",
            "AKIA...",
            "postgresql://...",
            "postgresql://user:password@host:5432/dbname",
            "postgres://USER:PASSWORD@HOST/DB",
            "mongodb+srv://<user>:<password>@cluster0.example.net/",
            "https://hooks.slack.com/services/...",
            "\"sk-...\"",
            "paste your key here",
            "my-secret-key",
            "N/A",
            "xxx",
        ] {
            assert!(is_dummy(&value(text)), "{text}");
        }
        for text in [
            "hunter2",
            "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
            "correct horse battery staple",
            "p$ss{w}ord\n",
            "[\"hunter-x0\",\"hunter-x1\"]",
            "[5, 6]",
            "abc-your-xyz-99",
            "not your keys not your coins",
            "$uperhunter2",
            "<a>hunter2</a>",
            "Tr0ub4dor&3...",
            "well then...",
            "postgresql://postgres:postgres@localhost:5432/app",
            "postgresql://svc:k2Jd81@db.example.com:5432/app",
            "https://ada:hunter22@git.example/...",
        ] {
            assert!(!is_dummy(&value(text)), "{text}");
        }
        assert!(!is_dummy(&value(&"x".repeat(65_000))));
    }
}
