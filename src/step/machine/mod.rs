//! Machines that are hired: made, started, stopped, destroyed.

mod choose;
mod create;
mod destroy;
mod existing;
mod key;
mod left;
mod place;
mod ready;
mod start;
mod stop;
mod unable;
mod watch;

pub(in crate::step) use create::MachineCreate;
pub(in crate::step) use create::VastCreate;
pub(in crate::step) use destroy::MachineDestroy;
pub(in crate::step) use destroy::VastDestroy;
pub(in crate::step) use start::MachineStart;
pub(in crate::step) use start::VastStart;
pub(in crate::step) use stop::MachineStop;
pub(in crate::step) use stop::VastStop;
