//! A field that is one of several words.

/// Declares the words, and what each means.
macro_rules! choice {
    (
        $(#[$about:meta])*
        $vis:vis enum $choice:ident {
            $($(#[doc = $doc:literal])+ $meaning:ident = $word:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $vis enum $choice {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $meaning,)+
        }

        impl $crate::step::field::Field for $choice {
            type Parsed = Self;

            const TYPE: $crate::step::FieldType = $crate::step::FieldType::OneOf(&[$(($word, concat!($($doc),+))),+]);

            fn read(
                reader: &mut $crate::step::Reader<'_>,
                entry: &$crate::step::field::Entry<'_>,
            ) -> Option<Self> {
                reader.one_of(entry.what, entry.value, &[$(($word, Self::$meaning)),+])
            }

            fn plan(parsed: &Self, _: &str, _: &mut dyn $crate::step::Planner) -> Self {
                *parsed
            }
        }
    };
}
pub(in crate::step) use choice;
