//! The declaration of the kinds of condition.

/// Declares the kinds of condition that look at something: two enums, the planned form and the
/// parsed one, with those kinds besides that are made of others.
macro_rules! conditions {
    ($(
        $(#[doc = $doc:literal])+
        $kind:ident = $name:literal { $($field:ident: $type:ty $(= $default:expr)?),* } like $example:literal,
    )+) => {
        /// Something that holds or does not. `host_id` is the step's own host where it is left out.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(in crate::step) enum Condition {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $name)]
                $kind { $($field: $type),* },
            )+
            /// The inverse.
            Not(Box<Condition>),
            /// All of them; true if there are none.
            And(Vec<Condition>),
            /// One of them; false if there are none.
            Or(Vec<Condition>),
            /// True.
            Always,
            /// False.
            Never,
        }

        /// The same as the recipe has it.
        #[derive(Debug)]
        pub(in crate::step) enum Parsed {
            $($kind { $($field: <$type as Field>::Parsed),* },)+
            Not(Box<Parsed>),
            And(Vec<Parsed>),
            Or(Vec<Parsed>),
            Always,
            Never,
        }

        /// The kinds that look at something.
        pub(super) const KINDS: &[crate::step::Spec] = &[$(crate::step::Spec {
            name: $name,
            example: $example,
            doc: concat!($($doc),+),
            own: &[$(crate::step::FieldSpec {
                name: stringify!($field),
                kind: <$type as Field>::TYPE,
                presence: field::fields!(@presence $type $(, $default)?),
                doc: <$type as Field>::DOC,
            }),*],
            common: &[],
        },)+];

        /// Reads what stands in the table of a kind that looks at something.
        pub(super) fn read_fields(kind: &str, table: &mut crate::step::field::Table<'_, '_, '_>) -> Option<Parsed> {
            match kind {
                $($name => {
                    $(let $field = field::fields!(@take table, $field: $type $(= $default)?);)*
                    Some(Parsed::$kind { $($field: $field?),* })
                })+
                _ => None,
            }
        }

        impl Parsed {
            /// Plans it and the conditions inside.
            pub(super) fn plan(&self, planner: &mut dyn Planner) -> Condition {
                match self {
                    $(Self::$kind { $($field),* } => Condition::$kind {
                        $($field: <$type as Field>::plan($field, stringify!($field), planner)),*
                    },)+
                    Self::Not(inner) => Condition::Not(Box::new(inner.plan(planner))),
                    Self::And(all) => Condition::And(all.iter().map(|inner| inner.plan(planner)).collect()),
                    Self::Or(any) => Condition::Or(any.iter().map(|inner| inner.plan(planner)).collect()),
                    Self::Always => Condition::Always,
                    Self::Never => Condition::Never,
                }
            }
        }

        impl Condition {
            /// Where it looks itself.
            fn own_site(&self) -> Option<Site<'_>> {
                match self {
                    $(Self::$kind { $($field),* } => None$(.or_else(|| Field::site(Some($field))))*,)+
                    Self::Not(_) | Self::And(_) | Self::Or(_) | Self::Always | Self::Never => None,
                }
            }
        }
    };
}
pub(super) use conditions;
