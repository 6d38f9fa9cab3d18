//! A planned operation of any type: it can be run, cloned, and kept on disk.

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::Serializer;
use serde::ser::Error;
use serde::ser::SerializeMap;

use crate::step::Operation;
use crate::step::Outcome;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Fields;

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
