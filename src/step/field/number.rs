//! Numbers, and `true` or `false`.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::step::Planner;
use crate::step::Reader;
use crate::step::field::Entry;
use crate::step::field::Field;
use crate::step::field::FieldType;
use crate::step::reader::LONGEST;
use crate::step::reader::integer;

macro_rules! whole {
    ($($type:ident from $least:expr, $most:expr, $words:literal;)+) => {$(
        impl Field for $type {
            type Parsed = Self;

            const TYPE: FieldType = FieldType::Whole($least, $most);

            fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
                let found = integer(entry.value).and_then(|number| Self::try_from(number).ok());
                if found.is_none() {
                    reader.wrong_type(entry.what, entry.value, $words);
                }
                found
            }

            fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
                *parsed
            }
        }
    )+};
}

whole! {
    u16 from 0, 0xFFFF, "a whole number from 0 to 65535";
    u32 from 0, 0xFFFF_FFFF, "a whole number from 0 to 4294967295";
    u64 from 0, u64::MAX, "a whole number, 0 or more";
    i64 from i64::MIN, 0x7FFF_FFFF_FFFF_FFFF, "a whole number";
}

impl Field for bool {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Boolean;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.boolean(entry.what, entry.value)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        *parsed
    }

    fn show_other(&self, name: &str, lines: &mut Vec<String>) {
        lines.push(format!("{name} = {self}"));
    }
}

/// A number of seconds, fractions included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Seconds(pub f64);

impl Seconds {
    pub(in crate::step) fn duration(self) -> Duration {
        Duration::try_from_secs_f64(self.0).unwrap_or(LONGEST).min(LONGEST)
    }
}

impl Field for Seconds {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Number;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.number(entry.what, entry.value).map(Self)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        *parsed
    }
}

/// A number, fractions included.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Number(pub f64);

impl Field for Number {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Number;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.number(entry.what, entry.value).map(Self)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        *parsed
    }
}

/// The operation's own deadline, in seconds; that of the step counts more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::step) struct Timeout(u64);

impl Field for Timeout {
    type Parsed = Self;

    const TYPE: FieldType = FieldType::Whole(0, u64::MAX);

    const DOC: &'static str = "Seconds for one attempt; the step's own `timeout_secs` counts more.";

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self> {
        reader.whole(entry.what, entry.value).map(Self)
    }

    fn plan(parsed: &Self, _: &str, _: &mut dyn Planner) -> Self {
        *parsed
    }

    fn timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.0))
    }
}
