//! What the user wants from a running run, and what is left when it ends by force.

use tokio::sync::watch;

use doppio_text::name::StepId;
use doppio_text::shell::typed;

/// What the user wants from a running run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cancel {
    /// Nothing.
    #[default]
    No,
    /// Stop the running steps, run the `always` steps, end. The text says why: "interrupted".
    Ask(&'static str),
    /// End at once; say what is left.
    Force,
}

/// Listens for the user; silent for ever once no sender is left.
pub(super) struct CancelListener(watch::Receiver<Cancel>);

impl CancelListener {
    pub(super) fn new(mut receiver: watch::Receiver<Cancel>) -> Self {
        // A request made before the run began counts too.
        receiver.mark_changed();
        Self(receiver)
    }

    /// The next thing that is said.
    pub(super) async fn hear(&mut self) -> Cancel {
        match self.0.changed().await {
            Ok(()) => *self.0.borrow_and_update(),
            Err(_) => std::future::pending().await,
        }
    }
}

/// What to say of a step that was left running.
pub(super) fn left_running(step: &StepId, host: Option<&str>) -> String {
    match host {
        Some("local") => {
            format!(
                "step `{step}` was not waited for; look for what it left with `ps -eo pid,pgid,etime,args`"
            )
        }
        Some(host) => format!(
            "step `{step}` may still be running on `{host}`; look with {}, and end a process group with {}",
            typed(["ssh", host, "ps", "-eo", "pid,pgid,etime,args"]),
            typed(["ssh", host, "kill", "-TERM", "-PGID"])
        ),
        None => format!("step `{step}` was not waited for"),
    }
}
