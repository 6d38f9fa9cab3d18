//! Which runs a secret was handed to: what the journals say.

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::config::Dirs;
use crate::journal::Store;
use crate::name::RunId;

/// Runs that are looked through, the newest first: more would take longer than anybody waits.
const RUNS: usize = 500;

/// One step that got a secret.
#[derive(Debug, Clone)]
pub(super) struct Use {
    /// The secret, as the recipe refers to it.
    pub secret: String,
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: String,
    /// Where it ran.
    pub host: Option<String>,
    /// When the step began.
    pub time: Option<Timestamp>,
}

impl Use {
    /// Whether it was this secret, or a part or version of it.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let plain = self.secret.split(['#', '@']).next().unwrap_or_default();
        plain == name || plain.split_once(':').is_some_and(|(_, path)| path == name)
    }
}

/// Every hand-over in the journals, the newest run first. A journal that can't be read is passed
/// over: `doppio runs` tells of it.
pub(super) fn all(context: &Context) -> Vec<Use> {
    let store = Store::new(Dirs::new(&context.env, &context.home).runs());
    let mut uses = Vec::new();
    for run in store.list().unwrap_or_default().into_iter().take(RUNS) {
        let Ok(record) = store.read(&run) else { continue };
        for step in record.state.leaves() {
            for delivery in step.deliveries.iter().filter(|delivery| !delivery.is_default) {
                uses.push(Use {
                    secret: delivery.secret.as_str().to_owned(),
                    run: run.clone(),
                    step: step.outline.id.to_string(),
                    host: step.host.as_ref().map(ToString::to_string),
                    time: step.started,
                });
            }
        }
    }
    uses
}
