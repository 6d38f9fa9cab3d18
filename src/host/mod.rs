//! Where things run: this machine, or another over SSH.
//!
//! A [`Host`] runs shell text ([`Exec`]) and gives a [`Process`], whose output is raw bytes: it
//! has no way to be shown before it went through the mask.

mod error;
mod exec;
mod local;
mod pool;
mod resolve;
mod spec;
mod ssh;

pub use crate::secret::Prompt;
pub use error::HostError;
pub use exec::Carrier;
pub use exec::EnvVar;
pub use exec::Exec;
pub use exec::Exit;
pub use exec::Interpreter;
pub use exec::Output;
pub use exec::Process;
pub use exec::Stopped;
pub use pool::Host;
pub use pool::Pool;
pub use pool::PoolOptions;
pub use spec::AgentChoice;
pub use spec::CarrierChoice;
pub use spec::FirstContact;
pub use spec::HostSpec;
pub use spec::HostsFile;
pub use spec::Trust;
pub use ssh::connect::Deadlines;
