//! The keys of an operation, read from its serde struct: nothing to keep in sync by hand.

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::Visitor;
use serde::de::value::Error;
use serde::forward_to_deserialize_any;

/// The field names of `T`, which derives `Deserialize`.
pub(super) fn keys<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The probe answers with an error on purpose, once it has seen the names.
    T::deserialize(Probe(&mut names)).err();
    names
}

/// A deserializer that notes which fields a struct asks for, and gives none.
struct Probe<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use crate::step::KINDS;
    use crate::step::NOT_YET;

    #[test]
    fn every_kind_is_whole() {
        let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).chain(NOT_YET.iter().copied()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a step type stands twice");
        for kind in KINDS {
            assert!(!(kind.keys)().is_empty(), "{} has no keys", kind.name);
            assert!(!kind.summary.is_empty() && !kind.summary.ends_with('.'), "{}: summary", kind.name);
            assert!(kind.example.starts_with(kind.name), "{}: example", kind.name);
            let table = toml::de::DeTable::parse(kind.example).expect("the example is TOML");
            let (_, value) = table.into_inner().into_iter().next().expect("the example has one key");
            let parsed = (kind.parse)(value.into());
            assert!(parsed.is_ok(), "{}: example: {}", kind.name, parsed.expect_err("checked"));
        }
    }
}
