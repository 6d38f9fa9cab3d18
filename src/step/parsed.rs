//! An operation of any type as the recipe has it.

use std::fmt;
use std::fmt::Debug;

use crate::step::Members;
use crate::step::Operation;
use crate::step::Planned;
use crate::step::Planner;
use crate::step::field::Fields;

/// An operation as read: with locations, its references as written. It can be planned any number of
/// times, once for each step that it stands for.
pub trait Parsed: Debug + Send + Sync {
    /// Plans it; what is wrong with it is told to the planner.
    fn plan(&self, planner: &mut dyn Planner) -> Box<dyn Planned>;

    /// The variables that it sets.
    fn sets(&self) -> Vec<&str>;

    /// For a group: its members and how they run.
    fn members(&self) -> Option<Members<'_>>;
}

/// The fields of an operation of one type.
pub(in crate::step) struct Written<T: Fields>(pub <T as Fields>::Parsed);

impl<T: Fields> Debug for Written<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Operation> Parsed for Written<T> {
    fn plan(&self, planner: &mut dyn Planner) -> Box<dyn Planned> {
        Box::new(<T as Fields>::plan(&self.0, planner))
    }

    fn sets(&self) -> Vec<&str> {
        T::sets(&self.0)
    }

    fn members(&self) -> Option<Members<'_>> {
        T::members(&self.0)
    }
}
