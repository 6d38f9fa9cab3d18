//! Processes of a step whose end nobody has seen.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use doppio_hosts::HostError;
use doppio_hosts::ProcessGroup;
use doppio_hosts::Stopped;

/// How long a process has between TERM and KILL.
pub(in crate::step) const GRACE: Duration = Duration::from_secs(10);

/// The process groups that the attempts of one step started and that may still run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unended(Arc<Mutex<Vec<ProcessGroup>>>);

impl Unended {
    /// A group begins.
    pub(in crate::step) fn add(&self, group: &ProcessGroup) {
        self.groups().push(group.clone());
    }

    /// A group is seen to be gone.
    pub(in crate::step) fn remove(&self, group: &ProcessGroup) {
        self.groups().retain(|other| !other.is(group));
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups().is_empty()
    }

    /// All of them.
    pub(in crate::step) fn all(&self) -> Vec<ProcessGroup> {
        self.groups().clone()
    }

    fn groups(&self) -> MutexGuard<'_, Vec<ProcessGroup>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a group is not seen to be gone.
pub(in crate::step) fn cause(group: &ProcessGroup, stopped: &Result<Stopped, HostError>) -> String {
    match stopped {
        Ok(stopped) => {
            format!("told to end, and these still run: {} (pid, name)", stopped.survivors.join(", "))
        }
        Err(error) => {
            let first = format!("process {} could not be ended: {error}", group.pid());
            error.causes.iter().fold(first, |text, cause| text + ": " + cause)
        }
    }
}
