//! Machines that are hired, behind one trait: [`Vendor`]. A vendor has one file or folder: [`Vast`],
//! [`RunPod`], [`Lambda`].
//!
//! Nothing here asks the user or reads the environment: keys and addresses are handed in ([`Account`]).

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod account;
mod caller;
mod catalogue;
mod connect;
mod error;
mod fields;
mod label;
mod lambda;
mod limiter;
mod look_up;
mod machine;
mod machine_id;
mod money;
mod offer;
mod redact;
mod refusal;
mod runpod;
#[cfg(test)]
mod test_server;
mod vast;
mod vendor;

pub use account::Account;
pub use connect::connect;
pub use error::RentedError;
pub use label::Label;
pub use lambda::Lambda;
pub use machine::Endpoint;
pub use machine::EndpointKind;
pub use machine::Machine;
pub use machine::MachineState;
pub use machine_id::MachineId;
pub use machine_id::NotMachineId;
pub use machine_id::VendorName;
pub use money::Dollars;
pub use offer::Offer;
pub use offer::Order;
pub use offer::Search;
pub use runpod::RunPod;
pub use vast::Query;
pub use vast::QueryError;
pub use vast::Vast;
pub use vast::parse_order;
pub use vendor::AccountKey;
pub use vendor::Balance;
pub use vendor::Charge;
pub use vendor::PriceRise;
pub use vendor::Vendor;
