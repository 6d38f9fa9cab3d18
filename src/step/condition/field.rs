//! A condition as a field of an operation.

use crate::step::FieldType;
use crate::step::Planner;
use crate::step::Reader;
use crate::step::condition::form;
use crate::step::condition::kinds::Condition;
use crate::step::condition::kinds::Parsed;
use crate::step::field::Entry;
use crate::step::field::Field;

impl Field for Condition {
    type Parsed = Parsed;

    const TYPE: FieldType = FieldType::Condition;

    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Parsed> {
        form::read(reader, entry.value, entry.what)
    }

    fn plan(parsed: &Parsed, _: &str, planner: &mut dyn Planner) -> Self {
        parsed.plan(planner)
    }
}
