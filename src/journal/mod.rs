//! Events ↔ disk: one folder a run, `runs/ID/{number, plan.json, journal.jsonl, lock, steps/STEP.log}`.
//!
//! `journal.jsonl` has one event a line and all but output and progress. `lock` is locked while the
//! run's Doppio lives, so that a running run can be distinguished from one that was killed.
//! `steps/` has what each step printed, masked. `number` counts
//! the runs in the order in which they began. Folders are 0700, files 0600.

mod files;
mod lock;
mod log_names;
mod order;
mod patient_file;
mod reader;
mod step_log;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::BadLine;
pub use reader::Record;
pub use step_log::LogLimit;
pub use step_log::Missing;
pub use store::FindError;
pub use store::RemoveError;
pub use store::Store;
pub use writer::Journal;
