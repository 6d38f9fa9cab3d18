//! What can be done: one file a step type, one line of [`KINDS`] each.

mod assert;
mod condition;
mod context;
pub mod credentials;
mod field;
mod follow;
mod group;
mod keys;
mod outcome;
mod set_var;
mod shell;
mod sleep;
mod template;
mod tmux;
mod values;
mod wait_condition;

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use toml::de::ValueDeserializer;

pub use condition::CONDITIONS;
pub use condition::Condition;
pub use context::Report;
pub use context::StepContext;
pub use context::Stop;
pub(crate) use context::stopped;
pub use field::Binding;
pub use field::FieldMut;
pub use field::PlainText;
pub use field::Script;
pub use field::SecretText;
pub use field::ShellText;
pub use outcome::Ended;
pub use outcome::Outcome;
pub use outcome::StepError;
pub use template::Mode;
pub use template::Part;
pub use template::Reference;
pub use template::StepField;
pub use template::Template;
pub use values::StepResult;
pub use values::Value;
pub use values::Values;

/// A step type: how it is called, and how its table becomes a [`Step`].
pub struct StepKind {
    /// The key that names it in a recipe.
    pub name: &'static str,
    /// One line for help and docs.
    pub summary: &'static str,
    /// A whole operation, as in `sleep = { duration_secs = 5 }`.
    pub example: &'static str,
    /// The keys of its table. A key of `[defaults]` goes to the kinds that have it.
    pub keys: fn() -> &'static [&'static str],
    /// Reads the operation's table; errors carry places.
    pub parse: Parse,
}

/// Reads an operation's value.
pub type Parse = fn(ValueDeserializer<'_>) -> Result<Box<dyn Step>, toml::de::Error>;

/// The operation of one step, as read from the recipe and, after planning, with every reference
/// resolved that can be resolved before the run.
pub trait Step: Debug + Send + Sync {
    /// Every field that may hold references, with its name: the plan checks, resolves and
    /// rewrites them through this.
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)>;

    /// Where it runs.
    fn place(&self) -> Place<'_> {
        Place::Nowhere
    }

    /// The variables it sets.
    fn sets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// For a group: its members and how they run.
    fn group(&self) -> Option<Group<'_>> {
        None
    }

    /// Its own `timeout_secs`; the step's overrides it.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// What is wrong with it beyond its types, as (field, message): checked with the plan.
    fn faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The lines that a dry run shows, references as `‹secret:name›`.
    fn show(&self) -> Vec<String> {
        Vec::new()
    }

    /// Does it. `Err` is for what Doppio could not do; a command that ran and failed is an `Ok`.
    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>>;
}

/// Where an operation runs.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// It needs no host.
    Nowhere,
    /// This machine.
    Local,
    /// The host that the field names; the run's target if it names none.
    Host(Option<&'a PlainText>),
}

/// A group's members.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Ids of the members, with the place of each in the recipe.
    pub members: &'a [toml::Spanned<String>],
    /// One after the other rather than all at once.
    pub sequential: bool,
}

/// Reads an operation into `T`; written once for all kinds.
///
/// # Errors
///
/// What serde found, with its place.
fn typed<T>(table: ValueDeserializer<'_>) -> Result<Box<dyn Step>, toml::de::Error>
where
    T: Step + DeserializeOwned + 'static,
{
    T::deserialize(table).map(|step| Box::new(step) as Box<dyn Step>)
}

/// All step types, in the order in which help lists them.
pub static KINDS: &[&StepKind] = &[
    &shell::SSH_COMMAND,
    &shell::RUN_COMMANDS,
    &shell::LOCAL_COMMAND,
    &tmux::NEW,
    &tmux::WAIT,
    &tmux::SEND,
    &tmux::CAPTURE,
    &tmux::KILL,
    &sleep::KIND,
    &wait_condition::KIND,
    &assert::KIND,
    &set_var::KIND,
    &group::KIND,
];

/// Step types that the language has and this version does not.
pub static NOT_YET: &[&str] = &[
    "transfer",
    "rsync_upload",
    "rsync_download",
    "git_clone",
    "hf_download",
    "vast_start",
    "vast_stop",
    "vast_destroy",
    "vast_create",
    "vast_copy",
    "gdrive_mount",
    "gdrive_unmount",
    "get_value",
    "http_request",
    "notify",
];
