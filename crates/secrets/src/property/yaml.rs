//! A member of a YAML text. The way down is walked while the text is read, so that only the
//! member is taken out; scalars are taken as they are written, `1.50` as `1.50`.
//!
//! What the parser copies of other scalars that hold escapes or folds is not wiped.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_saphyr::DuplicateKeyPolicy;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::property::Scalar;
use crate::property::index;

/// Why nothing is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text is not YAML, or has no members.
    NotYaml,
    /// The member is a table or a list.
    NoText,
    /// A key on the way occurs twice, which YAML forbids.
    Twice,
}

/// The member's bytes, if it is there and not null.
pub(super) fn select(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, Fault> {
    let read = |leaf| {
        // A key that occurs twice is told apart from what is not YAML.
        let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough };
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
            Walk { path, leaf, is_root: true }.deserialize(yaml)
        })
    };
    match read(Leaf::Text) {
        Ok(Some(Found::Root)) => Err(Fault::NotYaml),
        Ok(Some(Found::Twice)) => Err(Fault::Twice),
        Ok(Some(Found::Text(value))) => Ok(Some(value)),
        Ok(Some(Found::Other) | None) => Ok(None),
        // The parser's words may hold the text, so they are dropped.
        Err(_) => match read(Leaf::Other) {
            Ok(Some(Found::Other)) => Err(Fault::NoText),
            Ok(Some(Found::Twice)) => Err(Fault::Twice),
            _ => Err(Fault::NotYaml),
        },
    }
}

/// What is taken at the end of the way.
#[derive(Clone, Copy)]
enum Leaf {
    Text,
    Other,
}

enum Found {
    Text(SecretValue),
    /// Something that was not to be taken.
    Other,
    /// The whole text is one scalar.
    Root,
    /// A key was there twice.
    Twice,
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [Cow<'a, str>],
    leaf: Leaf,
    is_root: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<Found>;

    fn deserialize<D: Deserializer<'de>>(self, yaml: D) -> Result<Self::Value, D::Error> {
        match (self.path.is_empty(), self.leaf) {
            (false, _) => yaml.deserialize_any(self),
            (true, Leaf::Text) => yaml.deserialize_option(self),
            (true, Leaf::Other) => yaml.deserialize_ignored_any(IgnoredAny).map(|_| Some(Found::Other)),
        }
    }
}

impl Walk<'_> {
    /// A scalar where a table was looked for.
    fn scalar(self) -> Option<Found> {
        self.is_root.then_some(Found::Root)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<Found>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (first, rest) = self.path.split_first().expect("there is a way to go");
        let (mut found, mut is_there, mut is_twice) = (None, false, false);
        while let Some(key) = map.next_key::<String>()? {
            if key == **first {
                is_twice |= is_there;
                is_there = true;
                found = map.next_value_seed(Walk { path: rest, is_root: false, ..self })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(if is_twice { Some(Found::Twice) } else { found })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (first, rest) = self.path.split_first().expect("there is a way to go");
        let wanted = index(first);
        let mut found = None;
        for at in 0.. {
            let more = if wanted == Some(at) {
                let item = list.next_element_seed(Walk { path: rest, is_root: false, ..self })?;
                item.map(|item| found = item).is_some()
            } else {
                list.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(found)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, yaml: D) -> Result<Self::Value, D::Error> {
        yaml.deserialize_str(Text)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_i128<E>(self, _: i128) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }
}

/// Takes the bytes of a scalar.
struct Text;

impl Visitor<'_> for Text {
    type Value = Option<Found>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Found::Text(SecretValue::new(text.as_bytes().to_vec()))))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Found::Text(SecretValue::new(text.into_bytes()))))
    }
}

/// All texts and whole numbers, at any depth; none where the text is not YAML, or one scalar.
pub(super) fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        Collect { key: "", is_item: false, is_root: true, found: &mut found }.deserialize(yaml)
    });
    if read.is_err() {
        found.clear();
    }
    found
}

/// Keeps the scalars that are read.
struct Collect<'a> {
    key: &'a str,
    is_item: bool,
    is_root: bool,
    found: &'a mut Vec<Scalar>,
}

impl Collect<'_> {
    fn number(self, written: &str) {
        if !self.is_root {
            self.found.extend(Scalar::of_number(self.key, written, self.is_item));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, yaml: D) -> Result<(), D::Error> {
        yaml.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Collect {
                key: &key,
                is_item: false,
                is_root: false,
                found: &mut *self.found,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (key, found) = (self.key, self.found);
        while list
            .next_element_seed(Collect { key, is_item: true, is_root: false, found: &mut *found })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if !self.is_root {
            self.found.push(Scalar::new(self.key, text.as_bytes(), self.is_item));
        }
        Ok(())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.visit_str(&Zeroizing::new(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(&number.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(&number.to_string());
        Ok(())
    }

    fn visit_i128<E>(self, number: i128) -> Result<(), E> {
        self.number(&number.to_string());
        Ok(())
    }

    fn visit_u128<E>(self, number: u128) -> Result<(), E> {
        self.number(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }
}
