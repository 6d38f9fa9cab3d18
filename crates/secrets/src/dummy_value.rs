//! Values that are only placeholders, as in templates.

use regex::bytes::Regex;

use crate::SecretValue;

/// What stands in templates where a value should be.
const PLACEHOLDER: &str = r"(?xi-u)^\s*(
    ['\x22]?<[^<>]*>['\x22]? | \$\{[a-z_][a-z0-9_]*\} | \$(?-i:[A-Z_][A-Z0-9_]*) | \{\{.*\}\} |
    \[[a-z\ _-]*\] | (\S*[_-])?x{4,} | \*{3,} | \.{3,} |
    (\S*[_-]|.{0,24}\ )?your[\ _-]([a-z]+[\ _-]){0,4}
        (token|key|secret|password|passphrase|value|credentials?|id|name|here)([\ _-]here)? |
    (please[\ _-]?)?change[\ _-]?(me|this|it) | replace[\ _-]?(me|this|with.*) |
    insert[\ _-].*here | .*[\ _-](goes|token|key|secret|password)[\ _-]here | todo | fixme | tbd | none | null |
    undefined | example | placeholder | dummy | secret | password | token | api[\ _-]?key | hf_\.\.\.
    )\s*$";

/// No template has a longer one. In bytes.
const LONGEST_PLACEHOLDER: usize = 128;

/// Whether the value is only a placeholder, as in `your_token_here`.
pub fn is_dummy(value: &SecretValue) -> bool {
    value.plain().len() <= LONGEST_PLACEHOLDER
        && Regex::new(PLACEHOLDER).is_ok_and(|pattern| pattern.is_match(value.plain()))
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
        ] {
            assert!(!is_dummy(&value(text)), "{text}");
        }
        assert!(!is_dummy(&value(&"x".repeat(65_000))));
    }
}
