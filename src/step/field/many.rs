//! Fields that may be left out, and fields of several values.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use doppio_text::Diagnostic;
use doppio_text::name::EnvName;
use doppio_text::name::InvalidName;

use crate::step::Mode;
use crate::step::PlainText;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::SecretText;
use crate::step::Site;
use crate::step::Template;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::FieldType;

impl<T: Field> Field for Option<T> {
    type Parsed = Option<T::Parsed>;

    const TYPE: FieldType = T::TYPE;

    const DOC: &'static str = T::DOC;

    const ABSENT: Option<fn() -> Self::Parsed> = Some(|| None);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        T::read(reader, entry).map(Some)
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        parsed.as_ref().map(|parsed| T::plan(parsed, name, planner))
    }

    fn sets(parsed: &Self::Parsed) -> Option<&str> {
        parsed.as_ref().and_then(T::sets)
    }

    fn site(this: Option<&Self>) -> Option<Site<'_>> {
        T::site(this.and_then(Option::as_ref))
    }

    fn timeout(&self) -> Option<Duration> {
        self.as_ref().and_then(T::timeout)
    }

    fn show(&self, name: &str, lines: &mut Vec<String>) {
        if let Some(inner) = self {
            inner.show(name, lines);
        }
    }
}

impl<T: Field> Field for Vec<T> {
    type Parsed = Vec<T::Parsed>;

    const TYPE: FieldType = FieldType::List(&T::TYPE);

    const ABSENT: Option<fn() -> Self::Parsed> = Some(Vec::new);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        let items = reader.list(entry.what, entry.value, "a list")?;
        let what = format!("each of {}", entry.what);
        let read: Vec<_> =
            items.iter().map(|value| T::read(reader, &Entry { what: &what, value, ..*entry })).collect();
        read.into_iter().collect()
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        parsed.iter().map(|parsed| T::plan(parsed, name, planner)).collect()
    }
}

/// Environment variables, and the values that they get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Env(pub BTreeMap<EnvName, SecretText>);

/// Environment variables of a machine, which its vendor can read: no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct OpenEnv(pub BTreeMap<EnvName, PlainText>);

impl Field for OpenEnv {
    type Parsed = BTreeMap<EnvName, Template>;

    const TYPE: FieldType = FieldType::Table(&FieldType::Text);

    const DOC: &'static str = "Environment variables, which the vendor can read: no secrets.";

    const ABSENT: Option<fn() -> Self::Parsed> = Some(BTreeMap::new);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        Env::read(reader, entry)
    }

    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self {
        Self(parsed.iter().map(|(key, text)| (key.clone(), planner.plain(name, text))).collect())
    }

    fn show(&self, name: &str, lines: &mut Vec<String>) {
        lines.extend(self.0.iter().map(|(variable, value)| format!("{name} {variable}={value}")));
    }
}

impl Field for Env {
    type Parsed = BTreeMap<EnvName, Template>;

    const TYPE: FieldType = FieldType::Table(&FieldType::Secret);

    const DOC: &'static str = "Environment variables.";

    const ABSENT: Option<fn() -> Self::Parsed> = Some(BTreeMap::new);

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed> {
        let table = reader.table(entry.what, entry.value)?;
        let mut variables = BTreeMap::new();
        for (key, value) in table {
            let name: Result<EnvName, InvalidName> = key.get_ref().parse();
            let text = reader.template(&format!("`{}`", key.get_ref()), value, Mode::Plain);
            match name {
                Ok(name) => variables.extend(text.map(|text| (name, text))),
                Err(error) => {
                    reader.fault(Diagnostic::error("recipe::invalid-value", error.to_string(), key.span()));
                }
            }
        }
        (variables.len() == table.len()).then_some(variables)
    }

    fn plan(parsed: &Self::Parsed, _: &str, planner: &mut dyn Planner) -> Self {
        Self(parsed.iter().map(|(name, text)| (name.clone(), planner.variable(name, text))).collect())
    }

    fn show(&self, name: &str, lines: &mut Vec<String>) {
        lines.extend(self.0.iter().map(|(variable, value)| format!("{name} {variable}={value}")));
    }
}
