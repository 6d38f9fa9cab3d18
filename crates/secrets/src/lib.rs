//! The only tree that sees plain values.
//!
//! A recipe names a secret by a [`SecretRef`]; the [`SecretSession`] walks the [`Ladder`] of sources
//! when a step starts, registers the value with the [`Mask`], and hands it out as a [`SecretValue`],
//! which has no way to be shown. Bytes leave the program as [`Masked`] only.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod address;
mod audit;
mod consent;
mod credentials;
mod delivery;
mod dummy_value;
mod environment;
mod error;
pub mod export;
mod file_lock;
mod foreign_form;
pub mod format;
mod ladder;
mod locked;
mod mask;
mod named;
pub mod naming;
mod prompt;
mod randomness;
mod reference;
mod registered;
pub mod scan;
mod session;
pub mod source;
pub mod steering;
mod token_heuristics;
mod value;
pub mod vendor;

pub use audit::AuditAction;
pub use audit::AuditError;
pub use audit::AuditLog;
pub use audit::Auditor;
pub use audit::Entry;
pub use audit::Policy as AuditPolicy;
pub use audit::Use;
pub use audit::Verdict as AuditVerdict;
pub use audit::Wrong as AuditWrong;
pub use consent::Providers;
pub use credentials::CredentialMetadata;
pub use credentials::Handed;
pub use credentials::HandedSecret;
pub use delivery::Carrier;
pub use delivery::Delivery;
pub use dummy_value::is_dummy;
pub use dummy_value::is_open_template;
pub use environment::Environment;
pub use error::SecretError;
pub use foreign_form::ForeignForm;
pub use foreign_form::foreign_form;
pub use ladder::Bound;
pub use ladder::DefaultSource;
pub use ladder::InvalidTemplate;
pub use ladder::Ladder;
pub use ladder::LadderOptions;
pub use ladder::NoPath;
pub use ladder::OnError;
pub use ladder::trail::Asked;
pub use ladder::trail::Outcome;
pub use ladder::trail::Trail;
pub use locked::is_memory_locked;
pub use mask::Encoding;
pub use mask::Mask;
pub use mask::MaskStream;
pub use mask::MaskStyle;
pub use mask::Masked;
pub use mask::Unmaskable;
pub use mask::Weakness;
pub use named::looks_like_name;
pub use named::looks_like_path;
pub use prompt::Prompt;
pub use reference::InvalidReference;
pub use reference::Origin;
pub use reference::SecretRef;
pub use registered::Cut;
pub use registered::Piece;
pub use registered::Registered;
pub use session::Hold;
pub use session::Location;
pub use session::SecretSession;
pub use token_heuristics::looks_like_value;
pub use value::Fitness;
pub use value::SecretValue;
pub use vendor::Wanted;
