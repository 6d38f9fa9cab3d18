//! Jobs: commands on a host that go on without Doppio, and are known by more than a name.
//!
//! A job has a folder on the host's disk, `$XDG_STATE_HOME/doppio/jobs/RUN-STEP-ATTEMPT-NONCE`, 0700. In
//! it are `identity` (machine, processes and their start times, who started it), `out` (all that it
//! printed, from the first byte) and `exit` (its end; reserved at the launch and rewritten in
//! place, so that a full disk can't lose it; empty if it is not known). `keeper` is the command's parent,
//! which reaps it. No secret is there, but for what the command prints.

mod frame;
mod list;
mod name;
mod script;

pub(in crate::step) use frame::frame;
pub use list::list_jobs;
pub(in crate::step) use name::JobName;
pub(in crate::step) use name::digest;
pub(in crate::step) use name::slug;
pub(in crate::step) use script::Answer;
pub(in crate::step) use script::GONE;
pub(in crate::step) use script::KEEPER;
pub(in crate::step) use script::LAUNCH;
pub(in crate::step) use script::follow;
pub(in crate::step) use script::script;
