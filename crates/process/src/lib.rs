//! Starting programs of this machine.
//!
//! All that Doppio starts is started here: a [`Program`] gets the environment without Doppio's own
//! variables ([`OWN`]), pipes that are drained up to a limit, a deadline, and a process group that
//! dies with the call. Git is one of them, and has a door of its own, [`Repository`]: it is asked so
//! that nothing that a repository brings is run.
//!
//! Nothing outside of this crate names `process::Command`; a test of the layers holds that.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod chunks;
mod environment;
mod git;
mod process_group;
mod program;
mod running;
mod stream;

pub use chunks::Chunks;
pub use environment::OWN;
pub use git::GitError;
pub use git::Ignored;
pub use git::Repository;
pub use git::is_store;
pub use process_group::is_at_terminal;
pub use program::Outputs;
pub use program::Program;
pub use running::Broken;
pub use running::Heard;
pub use running::Limits;
pub use running::Running;
pub use stream::Stream;
pub use tokio::process::ChildStdin as Stdin;
pub use tokio::process::ChildStdout as Stdout;
