//! What one field is.

use std::fmt::Debug;
use std::time::Duration;

use doppio_text::TomlTable;
use doppio_text::TomlValue;

use crate::step::Planner;
use crate::step::Reader;
use crate::step::Site;
use crate::step::field::FieldType;

/// What may stand behind a key of an operation. The type itself is the planned form.
pub(in crate::step) trait Field: Sized {
    /// As the recipe has it: with its location, and with its references as written.
    type Parsed: Debug + Send + Sync;

    /// What it is, for help and docs.
    const TYPE: FieldType;

    /// What it is for, where its declaration says nothing.
    const DOC: &'static str = "";

    /// What a key that is left out comes to, if it may be left out.
    const ABSENT: Option<fn() -> Self::Parsed> = None;

    /// Reads it; none if it is at fault, which the reader is told.
    fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Self::Parsed>;

    /// Plans it; `name` is the field's.
    fn plan(parsed: &Self::Parsed, name: &str, planner: &mut dyn Planner) -> Self;

    /// The variable that it sets.
    fn sets(_: &Self::Parsed) -> Option<&str> {
        None
    }

    /// Where it makes the step run; it may have been left out.
    fn site(_: Option<&Self>) -> Option<Site<'_>> {
        None
    }

    /// The deadline that it gives the step.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Adds what a dry run shows of it.
    fn show(&self, _name: &str, _lines: &mut Vec<String>) {}

    /// Adds what a dry run shows besides where it is not the default.
    fn show_other(&self, _name: &str, _lines: &mut Vec<String>) {}
}

/// A key of an operation's table, and its value.
#[derive(Debug, Clone, Copy)]
pub(in crate::step) struct Entry<'t> {
    /// What messages call it: the key in backticks.
    pub what: &'t str,
    /// What stands behind it.
    pub value: &'t TomlValue<'t>,
    /// The table in which it stands.
    pub table: &'t TomlTable<'t>,
}
