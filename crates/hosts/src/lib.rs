//! Where things run: this machine, or another over SSH.
//!
//! A [`Host`] runs shell text ([`Exec`]) and gives a [`Process`], whose output is raw bytes: it
//! has no way to be shown before it went through the mask.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod address;
mod bootstrap;
mod error;
mod exec;
mod frame;
mod hosts_file;
mod local;
mod once;
mod outlet;
mod place;
mod pool;
mod process;
mod reach;
mod resolve;
mod route;
mod spec;
mod ssh;
mod ssh_config;
mod stop;

pub use doppio_secrets::Prompt;
pub use error::HostError;
pub use exec::Carrier;
pub use exec::EnvVar;
pub use exec::Exec;
pub use exec::Exit;
pub use exec::Interpreter;
pub use exec::Output;
pub use exec::Stopped;
pub use exec::Swept;
pub use hosts_file::HostsFile;
pub use place::Host;
pub use pool::Pool;
pub use pool::PoolOptions;
pub use process::Process;
pub use reach::Reached;
pub use reach::forget;
pub use reach::reach;
pub use route::Route;
pub use route::route;
pub use route::sandbox as sandbox_route;
pub use spec::AgentChoice;
pub use spec::CarrierChoice;
pub use spec::FirstContact;
pub use spec::HostSpec;
pub use spec::Trust;
pub use ssh::connect::Deadlines;
