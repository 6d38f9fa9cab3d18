//! The audit log: which secret was used when, by what, and where it went.
//!
//! One JSON object a line, appended and synced before the use goes on. Each line holds the SHA-256
//! of the line before, and a value is there only as an HMAC under a key that stays on this machine.
//! A change, a gap or a cut is found by [`AuditLog::verify`]. It is evidence against accidents and
//! clumsy hands: whoever can write to the folder can write a new log.

mod auditor;
mod error;
mod file;
mod key;
mod line;
mod log;
mod verify;

pub use auditor::Auditor;
pub use auditor::Policy;
pub use error::AuditError;
pub use line::AuditAction;
pub use line::Entry;
pub use line::Use;
pub use log::AuditLog;
pub use verify::Verdict;
pub use verify::Wrong;

#[cfg(test)]
mod tests;
