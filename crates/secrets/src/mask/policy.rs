//! How a value is masked, by its length and looks.

use std::collections::BTreeSet;

pub(crate) use crate::value::LONGEST;
pub(crate) use crate::value::SHORTEST;
use crate::vendor;

/// From here on a value is masked anywhere, in all encodings, and across escape sequences and wraps;
/// below, as a word. In bytes.
pub(super) const LONG: usize = 8;

/// From here on a value that looks random is masked in any case of its letters. In bytes.
const ANY_CASE: usize = 16;

/// What makes a value a poor secret: it is masked, but ordinary text will be too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// A word that programs print all the time.
    Common,
    /// A plain number.
    Number,
    /// One character over and over.
    Repeated,
    /// An absolute path.
    Path,
    /// Too short to be masked in anything but its exact form, as a whole word.
    Short,
}

impl Weakness {
    /// What to tell the user, to follow "the value".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Common => "is a common word, and will be masked wherever it is printed",
            Self::Number => "is a plain number, and will be masked wherever it is printed",
            Self::Repeated => "is one character repeated",
            Self::Path => "is a path; a secret is what the file contains",
            Self::Short => "is short, and is masked only where it stands as a word of its own",
        }
    }
}

const COMMON: &[&str] = &[
    "admin",
    "administrator",
    "changeme",
    "debug",
    "default",
    "disabled",
    "enabled",
    "error",
    "example",
    "false",
    "guest",
    "hello",
    "info",
    "local",
    "localhost",
    "main",
    "master",
    "model",
    "none",
    "null",
    "password",
    "postgres",
    "prod",
    "production",
    "public",
    "python",
    "release",
    "root",
    "secret",
    "server",
    "staging",
    "success",
    "test",
    "testing",
    "token",
    "train",
    "training",
    "true",
    "ubuntu",
    "undefined",
    "unknown",
    "user",
    "username",
    "warning",
    "workspace",
    "yes",
];

/// What makes `value` a poor secret, if anything does.
pub(super) fn weakness(value: &[u8]) -> Option<Weakness> {
    let value = value.trim_ascii();
    let is_common = |word: &&str| value.eq_ignore_ascii_case(word.as_bytes());
    if COMMON.iter().any(is_common) || vendor::is_name(value) {
        return Some(Weakness::Common);
    }
    let numeric = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
    if value.iter().all(numeric) && value.len() < 24 {
        return Some(Weakness::Number);
    }
    if value.windows(2).all(|pair| pair[0] == pair[1]) {
        return Some(Weakness::Repeated);
    }
    let in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    if value.starts_with(b"/") && value[1..].contains(&b'/') && value.iter().all(in_path) {
        return Some(Weakness::Path);
    }
    (value.len() < LONG).then_some(Weakness::Short)
}

/// Whether `word` is not a word of a language: of at least two of the classes lower, upper, digit,
/// and with at least eight different bytes.
pub(super) fn looks_random(word: &[u8]) -> bool {
    let classes: [fn(&u8) -> bool; 3] = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    word.iter().all(u8::is_ascii_graphic)
        && classes.iter().filter(|class| word.iter().any(class)).count() >= 2
        && word.iter().collect::<BTreeSet<_>>().len() >= 8
}

/// Whether `value` is masked in any case of its letters.
pub(super) fn any_case(value: &[u8]) -> bool {
    value.len() >= ANY_CASE && looks_random(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poor_secrets_are_named() {
        let cases: [(&[u8], Option<Weakness>); 8] = [
            (b"Localhost", Some(Weakness::Common)),
            (b"true\n", Some(Weakness::Common)),
            (b"12345678", Some(Weakness::Number)),
            (b"aaaaaaaaaa", Some(Weakness::Repeated)),
            (b"/root/.ssh/id_rsa", Some(Weakness::Path)),
            (b"hunter2", Some(Weakness::Short)),
            (b"hf_AbCdEfGhIjKlMnOp", None),
            (b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None),
        ];
        for (value, expected) in cases {
            assert_eq!(weakness(value), expected, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn words_do_not_look_random() {
        assert!(looks_random(b"hf_AbCdEfGhIjKl"));
        assert!(looks_random(b"0123456789abcdef"));
        assert!(!looks_random(b"certificate-authority-data"));
        assert!(!looks_random(b"aaaa1111"));
        assert!(!looks_random(b"two Words 1234"));
    }
}
