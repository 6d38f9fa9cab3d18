//! `${secret:REF}`: which secret is meant.
//!
//! ```text
//! REF     = ORIGIN *( "#" PROPERTY / "@" VERSION ) [ "?" DEFAULT ]
//! ORIGIN  = NAME / SCHEME ":" PATH
//! NAME    = as `SecretName`: segments of letters, digits, "_", "-", "." joined by "/"
//! SCHEME  = a lowercase letter, then lowercase letters, digits, "_", "-"
//! ```
//!
//! Property and version may come in either order, each at most once; `Display` writes the
//! property first. The first `?` begins the default, which goes to the end as it stands, so a
//! default may hold every character; the default `?` stands for nothing at all. In a path, a property and a version the characters `#`,
//! `@`, `?` and `}` (which would end the reference in a recipe) are written `%23`, `%40`, `%3F`
//! and `%7D`, and a `%` that would begin one of these is written `%25`. No other `%` means
//! anything, so `a%20b` is those five characters. Control characters stand nowhere.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use doppio_text::has_controls;
use doppio_text::name::InvalidName;
use doppio_text::name::SecretName;

use crate::SecretValue;

/// A reference as a recipe writes it: where to look, and which part of what is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretRef {
    /// Where to look.
    pub origin: Origin,
    /// `#PROPERTY`: a member of a structured value, by key or JSON pointer.
    pub property: Option<String>,
    /// `@VERSION`, where the source keeps versions.
    pub version: Option<String>,
    /// `?default`: what stands in when the secret is missing; `?` alone is the empty text, `??` leaves a
    /// variable unset.
    pub default: Option<String>,
}

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A name, looked up on the ladder.
    Name(SecretName),
    /// This source and no other.
    Source {
        /// The source's name, as in `vault`.
        scheme: String,
        /// The path as that source understands it.
        path: String,
    },
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// The name part is not a secret's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// What stands before the colon is not a source's name.
    #[error("`{scheme}` in `{reference}` is not a source: use lowercase letters, digits, `_` and `-`")]
    Scheme {
        /// The reference as written.
        reference: String,
        /// The part before the colon.
        scheme: String,
    },
    /// Nothing stands where something must.
    #[error("`{reference}` has an empty {part}")]
    Empty {
        /// The reference as written.
        reference: String,
        /// Which part is empty.
        part: &'static str,
    },
    /// A part occurs twice, or a path holds a character that must be escaped.
    #[error("`{reference}` has more than one `{sign}`: write `{escape}` for one that is part of a path")]
    Twice {
        /// The reference as written.
        reference: String,
        /// Which sign.
        sign: char,
        /// Its escaped form.
        escape: &'static str,
    },
    /// A line break, a tab, a NUL or the like.
    #[error("a reference can't hold control characters")]
    Control,
}

/// The characters that are escaped outside a default, and how.
const ESCAPES: [(char, &str); 5] = [('%', "%25"), ('#', "%23"), ('@', "%40"), ('?', "%3F"), ('}', "%7D")];

impl SecretRef {
    /// The reference's own words without its default: what messages call it.
    pub fn label(&self) -> String {
        Self { default: None, ..self.clone() }.to_string()
    }

    /// What is used when the secret is missing.
    pub(crate) fn stand_in(&self) -> Option<SecretValue> {
        let default = self.default.as_deref()?;
        let text = if self.leaves_unset() { "" } else { default };
        Some(SecretValue::new(text.as_bytes().to_vec()))
    }

    /// Whether a variable that is set to this and nothing else is left unset when the secret is missing:
    /// `??`.
    pub fn leaves_unset(&self) -> bool {
        self.default.as_deref() == Some("?")
    }

    /// The name, where it is one.
    pub fn name(&self) -> Option<&SecretName> {
        match &self.origin {
            Origin::Name(name) => Some(name),
            Origin::Source { .. } => None,
        }
    }
}

impl From<SecretName> for SecretRef {
    fn from(name: SecretName) -> Self {
        Self { origin: Origin::Name(name), property: None, version: None, default: None }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

impl FromStr for SecretRef {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        if has_controls(text) {
            return Err(InvalidReference::Control);
        }
        let (reference, default) = match text.split_once('?') {
            Some((reference, default)) => (reference, Some(default.to_owned())),
            None => (text, None),
        };
        let end = reference.find(['#', '@']).unwrap_or(reference.len());
        let (origin, mut parts) = reference.split_at(end);
        let (mut property, mut version) = (None, None);
        while let Some(sign) = parts.chars().next() {
            let rest = &parts[1..];
            let end = rest.find(['#', '@']).unwrap_or(rest.len());
            let (part, slot, escape) = if sign == '#' {
                ("property", &mut property, "%23")
            } else {
                ("version", &mut version, "%40")
            };
            if slot.is_some() {
                return Err(InvalidReference::Twice { reference: text.to_owned(), sign, escape });
            }
            *slot = Some(non_empty(text, part, &rest[..end])?);
            parts = &rest[end..];
        }
        Ok(Self { origin: origin_from(text, origin)?, property, version, default })
    }
}

fn origin_from(text: &str, origin: &str) -> Result<Origin, InvalidReference> {
    let Some((scheme, path)) = origin.split_once(':') else {
        if origin.is_empty() {
            return Err(InvalidReference::Empty { reference: text.to_owned(), part: "name" });
        }
        return Ok(Origin::Name(origin.parse()?));
    };
    let valid = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if !valid {
        return Err(InvalidReference::Scheme { reference: text.to_owned(), scheme: scheme.to_owned() });
    }
    Ok(Origin::Source { scheme: scheme.to_owned(), path: non_empty(text, "path", path)? })
}

fn non_empty(reference: &str, part: &'static str, found: &str) -> Result<String, InvalidReference> {
    let found = unescape(found);
    if found.is_empty() {
        return Err(InvalidReference::Empty { reference: reference.to_owned(), part });
    }
    Ok(found)
}

/// Which of the escaped characters `text` begins with.
fn escape_at(text: &str) -> Option<char> {
    let code = text.get(..3)?;
    ESCAPES.iter().find(|(_, escape)| code.eq_ignore_ascii_case(escape)).map(|(plain, _)| *plain)
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (character, length) = escape_at(rest).map_or((next, next.len_utf8()), |plain| (plain, 3));
        plain.push(character);
        rest = &rest[length..];
    }
    plain
}

fn escaped(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len());
    for (at, character) in plain.char_indices() {
        match ESCAPES.iter().find(|(special, _)| *special == character) {
            Some((special, escape)) if *special != '%' || escape_at(&plain[at..]).is_some() => {
                text.push_str(escape);
            }
            _ => text.push(character),
        }
    }
    text
}

impl fmt::Display for SecretRef {
    /// As a recipe writes it, without `${secret:` and `}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Name(name) => write!(f, "{name}")?,
            Origin::Source { scheme, path } => write!(f, "{scheme}:{}", escaped(path))?,
        }
        if let Some(property) = &self.property {
            write!(f, "#{}", escaped(property))?;
        }
        if let Some(version) = &self.version {
            write!(f, "@{}", escaped(version))?;
        }
        if let Some(default) = &self.default {
            write!(f, "?{default}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> SecretRef {
        text.parse().unwrap()
    }

    #[test]
    fn the_forms_of_a_reference() {
        let plain = parse("huggingface/token");
        assert_eq!(plain.name().unwrap().as_str(), "huggingface/token");
        assert_eq!((plain.property, plain.version, plain.default), (None, None, None));

        let full = parse("aws:ml/prod/app#DATABASE_URL@AWSPREVIOUS?none");
        assert_eq!(full.origin, Origin::Source { scheme: "aws".into(), path: "ml/prod/app".into() });
        assert_eq!(full.property.as_deref(), Some("DATABASE_URL"));
        assert_eq!(full.version.as_deref(), Some("AWSPREVIOUS"));
        assert_eq!(full.default.as_deref(), Some("none"));
        assert_eq!(full.label(), "aws:ml/prod/app#DATABASE_URL@AWSPREVIOUS");

        assert_eq!(parse("app@3#/db/0/url"), parse("app#/db/0/url@3"));
        assert_eq!(parse("team/proxy?").default.as_deref(), Some(""));
        assert_eq!(parse("team/proxy?a?b#c@d").default.as_deref(), Some("a?b#c@d"));
        assert_eq!(parse("pass:me%40example.com@2").to_string(), "pass:me%40example.com@2");
        assert_eq!(parse("env:a%20b").to_string(), "env:a%20b");
    }

    #[test]
    fn what_is_no_reference_says_why() {
        let fault = |text: &str| text.parse::<SecretRef>().unwrap_err().to_string();
        insta::assert_snapshot!(
            ["", "a//b", "env:", "a#", "a@", "AWS:x", "a#b#c", "pass:a@b@c", "a\nb"].map(fault).join("\n"),
            @r"
        `` has an empty name
        `a//b` is not a secret name: use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`
        `env:` has an empty path
        `a#` has an empty property
        `a@` has an empty version
        `AWS` in `AWS:x` is not a source: use lowercase letters, digits, `_` and `-`
        `a#b#c` has more than one `#`: write `%23` for one that is part of a path
        `pass:a@b@c` has more than one `@`: write `%40` for one that is part of a path
        a reference can't hold control characters
        "
        );
    }

    fn part() -> impl Strategy<Value = String> {
        prop_oneof!["[^\\p{Cc}]{1,12}", "[%#@?}2345fdFD0]{1,12}"]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            path in part(),
            named in any::<bool>(),
            property in proptest::option::of(part()),
            version in proptest::option::of(part()),
            default in proptest::option::of("[^\\p{Cc}]{0,12}"),
        ) {
            let origin = if named {
                Origin::Name("service/key".parse().unwrap())
            } else {
                Origin::Source { scheme: "vault".to_owned(), path }
            };
            let reference = SecretRef { origin, property, version, default };
            let text = reference.to_string();
            prop_assert_eq!(text.parse::<SecretRef>().unwrap(), reference.clone());
            let ends_early = reference.label().contains('}');
            prop_assert!(!ends_early);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*") {
            if let Ok(reference) = text.parse::<SecretRef>() {
                prop_assert_eq!(reference.to_string().parse::<SecretRef>().unwrap(), reference);
            }
        }
    }
}
