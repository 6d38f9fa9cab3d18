//! What a set of fields is.

use std::fmt::Debug;
use std::time::Duration;

use crate::step::Planner;
use crate::step::Site;
use crate::step::field::FieldSpec;
use crate::step::field::Table;

/// A set of fields that was declared with [`fields!`](crate::step::field::fields).
pub(in crate::step) trait Fields: Sized {
    /// As the recipe has them.
    type Parsed: Debug + Send + Sync;

    /// What the declaration says of the set.
    const DOC: &'static str;

    /// The fields, in the order in which help lists them.
    const OWN: &'static [FieldSpec];

    /// Those behind them that it shares with others.
    const COMMON: &'static [FieldSpec] = &[];

    /// Reads the fields out of a table, with all their faults.
    fn read(table: &mut Table<'_, '_, '_>) -> Option<Self::Parsed>;

    /// Plans them.
    fn plan(parsed: &Self::Parsed, planner: &mut dyn Planner) -> Self;

    /// The variables that they set.
    fn sets(parsed: &Self::Parsed) -> Vec<&str>;

    /// Where they make the step run.
    fn site(&self) -> Option<Site<'_>>;

    /// The deadline that they give the step.
    fn timeout(&self) -> Option<Duration>;

    /// What a dry run shows of them.
    fn lines(&self) -> Vec<String>;
}
