//! What a step type is: its fields, and what it does; and operations of any type, as read and as
//! planned.

use std::any::Any;
use std::fmt;
use std::fmt::Debug;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::Serializer;
use serde::de::DeserializeOwned;
use serde::ser::Error;
use serde::ser::SerializeMap;

use crate::step::Members;
use crate::step::Outcome;
use crate::step::Planner;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Fields;

/// What a step does: the planned form of its fields, which [`fields!`](crate::step::field::fields)
/// declares, and what to do with them.
pub(in crate::step) trait Operation:
    Fields + Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The key that names it in a recipe.
    const NAME: &'static str;

    /// A whole one, as in `sleep = { duration_secs = 5 }`.
    const EXAMPLE: &'static str;

    /// Where it runs: where its fields say.
    fn site(&self) -> Site<'_> {
        Fields::site(self).unwrap_or(Site::Nowhere)
    }

    /// For a group: its members and how they run.
    fn members(_: &Self::Parsed) -> Option<Members<'_>> {
        None
    }

    /// What is wrong with its fields together, as (field, message).
    fn faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether the run's target is the machine that it hires or starts.
    fn makes_target(&self) -> bool {
        false
    }

    /// Whether it hires a machine.
    fn hires(&self) -> bool {
        false
    }

    /// Whether what reads its shell text is a POSIX shell.
    fn is_posix(&self) -> bool {
        true
    }

    /// Whether a pipe of its text may fail without anyone noticing: only its last command counts.
    fn pipes_hide_failures(&self) -> bool {
        false
    }

    /// Whether the environment that its shell text finds is known: that of the host, and what the step sends.
    fn knows_environment(&self) -> bool {
        true
    }

    /// Why it can't be given a credential that is a file, and what can; none if it can.
    fn refuses_files(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Whether what it is given is needed when it is over, and after the run: it goes to a session.
    fn is_outlived(&self) -> bool {
        self.refuses_files().is_some()
    }

    /// The lines that a dry run shows: those of its fields.
    fn show(&self) -> Vec<String> {
        self.lines()
    }

    /// Does it. `Err` is for what Doppio could not do; a command that ran and failed is an `Ok`.
    fn run(&self, cx: &mut StepContext) -> impl Future<Output = Result<Outcome, StepError>> + Send;
}

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

/// An operation with every reference resolved that can be resolved before the run. Saved, it is one
/// key, its kind, and its fields, as in a recipe; secrets are there as references.
pub trait Planned: Debug + Send + Sync + Any {
    /// The step type, as in `ssh_command`.
    fn kind(&self) -> &'static str;

    /// Where it runs.
    fn site(&self) -> Site<'_>;

    /// Its own `timeout_secs`; the step's overrides it.
    fn timeout(&self) -> Option<Duration>;

    /// What is wrong with its fields together, as (field, message).
    fn faults(&self) -> Vec<(&'static str, String)>;

    /// Whether the run's target is the machine that it hires or starts.
    fn makes_target(&self) -> bool;

    /// Whether it hires a machine.
    fn hires(&self) -> bool;

    /// Whether what reads its shell text is a POSIX shell.
    fn is_posix(&self) -> bool;

    /// Whether a pipe of its text may fail without anyone noticing: only its last command counts.
    fn pipes_hide_failures(&self) -> bool;

    /// Whether the environment that its shell text finds is known: that of the host, and what the step sends.
    fn knows_environment(&self) -> bool;

    /// Why it can't be given a credential that is a file, and what can; none if it can.
    fn refuses_files(&self) -> Option<(&'static str, &'static str)>;

    /// Whether what it is given is needed when it is over, and after the run: it goes to a session.
    fn is_outlived(&self) -> bool;

    /// The lines that a dry run shows, references as `‹secret:name›`.
    fn show(&self) -> Vec<String>;

    /// Does it. `Err` is for what Doppio could not do; a command that ran and failed is an `Ok`.
    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>>;

    /// The same again.
    fn again(&self) -> Box<dyn Planned>;

    /// Whether the other one is of the same type and has the same fields.
    fn equals(&self, other: &dyn Planned) -> bool;

    /// Its fields as data.
    ///
    /// # Errors
    ///
    /// When they can't be data.
    fn save(&self) -> Result<serde_json::Value, serde_json::Error>;
}

impl<T: Operation> Planned for T {
    fn kind(&self) -> &'static str {
        T::NAME
    }

    fn site(&self) -> Site<'_> {
        Operation::site(self)
    }

    fn timeout(&self) -> Option<Duration> {
        Fields::timeout(self)
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        Operation::faults(self)
    }

    fn makes_target(&self) -> bool {
        Operation::makes_target(self)
    }

    fn hires(&self) -> bool {
        Operation::hires(self)
    }

    fn is_posix(&self) -> bool {
        Operation::is_posix(self)
    }

    fn pipes_hide_failures(&self) -> bool {
        Operation::pipes_hide_failures(self)
    }

    fn knows_environment(&self) -> bool {
        Operation::knows_environment(self)
    }

    fn refuses_files(&self) -> Option<(&'static str, &'static str)> {
        Operation::refuses_files(self)
    }

    fn is_outlived(&self) -> bool {
        Operation::is_outlived(self)
    }

    fn show(&self) -> Vec<String> {
        Operation::show(self)
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        Operation::run(self, cx).boxed()
    }

    fn again(&self) -> Box<dyn Planned> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn Planned) -> bool {
        (other as &dyn Any).downcast_ref::<T>() == Some(self)
    }

    fn save(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }
}

impl Clone for Box<dyn Planned> {
    fn clone(&self) -> Self {
        self.as_ref().again()
    }
}

impl PartialEq for dyn Planned {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl Serialize for dyn Planned {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let mut map = into.serialize_map(Some(1))?;
        map.serialize_entry(self.kind(), &self.save().map_err(S::Error::custom)?)?;
        map.end()
    }
}
