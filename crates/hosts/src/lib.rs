//! Where things run: this machine, or another over SSH.
//!
//! A [`Host`] runs shell text ([`Exec`]) and gives a [`Process`], whose output is raw bytes: it
//! has no way to be shown before it went through the mask.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod address;
mod bootstrap;
mod deadlines;
mod error;
mod exec;
mod forward;
mod hardware;
mod host;
mod hosts_file;
mod launch_gate;
mod local;
mod openssh;
mod output_pipe;
mod payload;
mod pool;
mod port_forward;
mod private_folder;
mod probe;
mod process;
mod rented;
mod resolve;
mod route;
mod single_flight;
mod spec;
mod ssh;
mod ssh_config;
mod stop;

pub use deadlines::Deadlines;
pub use deadlines::Times;
pub use doppio_secrets::Prompt;
pub use error::HostError;
pub use error::Stage;
pub use exec::CleanupReport;
pub use exec::EnvVar;
pub use exec::Exec;
pub use exec::Exit;
pub use exec::Interpreter;
pub use exec::Output;
pub use exec::Stdin;
pub use exec::Stopped;
pub use exec::Strict;
pub use forward::Forwarding;
pub use hardware::Gpu;
pub use hardware::Hardware;
pub use hardware::hardware;
pub use host::Host;
pub use hosts_file::HostsFile;
pub use hosts_file::NewEntry;
pub use hosts_file::toml_string;
pub use hosts_file::with_trust;
pub use hosts_file::without_host;
pub use openssh::KnownHostKey;
pub use openssh::OpenSsh;
pub use openssh::check_host_key;
pub use openssh::known_host_keys;
pub use openssh::openssh;
pub use openssh::resolve;
pub use openssh::ssh_config_hosts;
pub use pool::Pool;
pub use pool::PoolOptions;
pub use port_forward::ForwardEvent;
pub use port_forward::NotAForward;
pub use port_forward::PortForward;
pub use private_folder::PRIVATE_FOLDER;
pub use private_folder::fresh_name;
pub use probe::Probed;
pub use probe::forget;
pub use probe::probe;
pub use process::ByHand;
pub use process::Process;
pub use process::ProcessGroup;
pub use rented::Endpoint;
pub use rented::RentedMachines;
pub use route::Route;
pub use route::route;
pub use route::sandbox as sandbox_route;
pub use spec::AddressFamily;
pub use spec::AgentChoice;
pub use spec::CarrierChoice;
pub use spec::FirstContact;
pub use spec::HostSpec;
pub use spec::NamedBy;
pub use spec::Pins;
pub use spec::Trust;
pub use ssh::pinned_key::PinnedKey;
