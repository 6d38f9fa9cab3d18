//! The declaration of a set of fields.

/// Declares fields: a struct, its planned form. Each field has its key as its name and a type that
/// is a [`Field`](crate::step::field::Field); `= …` gives a default, and a doc comment says what it
/// is for, where its type does not. `..name: Type` at the end takes in the fields of another set.
macro_rules! fields {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $set:ident {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $default:expr)?,)*
            $(..$common:ident: $shared:ty,)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        $vis struct $set {
            $(pub(in $crate::step) $field: $type,)*
            $(pub(in $crate::step) $common: $shared,)?
        }

        const _: () = {
            use $crate::step::field::Field;
            use $crate::step::field::FieldSpec;
            use $crate::step::field::Fields;
            use $crate::step::field::Table;
            use $crate::step::field::fields;

            /// The same as the recipe has it.
            #[derive(Debug)]
            pub(in $crate::step) struct Parsed {
                $(pub(in $crate::step) $field: <$type as Field>::Parsed,)*
                $(pub(in $crate::step) $common: <$shared as Fields>::Parsed,)?
            }

            impl Fields for $set {
                type Parsed = Parsed;

                const DOC: &'static str = concat!($($about),+);

                const OWN: &'static [FieldSpec] = &[$(FieldSpec {
                    name: stringify!($field),
                    kind: <$type as Field>::TYPE,
                    presence: fields!(@presence $type $(, $default)?),
                    doc: fields!(@doc $type $(, $doc)*),
                },)*];

                $(const COMMON: &'static [FieldSpec] = <$shared as Fields>::OWN;)?

                fn read(table: &mut Table<'_, '_, '_>) -> Option<Parsed> {
                    $(let $field = fields!(@take table, $field: $type $(= $default)?);)*
                    $(let $common = <$shared as Fields>::read(table);)?
                    Some(Parsed { $($field: $field?,)* $($common: $common?,)? })
                }

                fn plan(parsed: &Parsed, planner: &mut dyn $crate::step::Planner) -> Self {
                    Self {
                        $($field: <$type as Field>::plan(&parsed.$field, stringify!($field), planner),)*
                        $($common: <$shared as Fields>::plan(&parsed.$common, planner),)?
                    }
                }

                fn sets(parsed: &Parsed) -> Vec<&str> {
                    let mut sets = Vec::new();
                    $(sets.extend(<$type as Field>::sets(&parsed.$field));)*
                    $(sets.extend(<$shared as Fields>::sets(&parsed.$common));)?
                    sets
                }

                fn site(&self) -> Option<$crate::step::Site<'_>> {
                    None$(.or_else(|| Field::site(Some(&self.$field))))*$(.or_else(|| Fields::site(&self.$common)))?
                }

                fn timeout(&self) -> Option<std::time::Duration> {
                    None$(.or_else(|| Field::timeout(&self.$field)))*$(.or_else(|| Fields::timeout(&self.$common)))?
                }

                fn lines(&self) -> Vec<String> {
                    let mut lines = Vec::new();
                    $(fields!(@show self.$field, $field, lines $(, $default)?);)*
                    $(lines.extend(Fields::lines(&self.$common));)?
                    lines
                }
            }
        };
    };
    (@presence $type:ty) => {
        match <$type as $crate::step::field::Field>::ABSENT {
            Some(_) => $crate::step::field::Presence::Optional,
            None => $crate::step::field::Presence::Required,
        }
    };
    (@presence $type:ty, $default:expr) => {
        $crate::step::field::Presence::Default(|| serde_json::json!($default))
    };
    (@doc $type:ty) => {
        <$type as $crate::step::field::Field>::DOC
    };
    (@doc $type:ty, $($doc:literal),+) => {
        concat!($($doc),+)
    };
    (@show $value:expr, $field:ident, $lines:ident) => {
        Field::show(&$value, stringify!($field), &mut $lines);
    };
    (@show $value:expr, $field:ident, $lines:ident, $default:expr) => {
        Field::show(&$value, stringify!($field), &mut $lines);
        if $value != $default {
            Field::show_other(&$value, stringify!($field), &mut $lines);
        }
    };
    (@take $table:ident, $field:ident: $type:ty) => {
        $table.take::<$type>(stringify!($field))
    };
    (@take $table:ident, $field:ident: $type:ty = $default:expr) => {
        $table.take_or::<$type>(stringify!($field), $default)
    };
}
pub(in crate::step) use fields;
