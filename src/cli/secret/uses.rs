//! Where a secret went: what the audit log says, and the journals of the runs that it does not
//! hold, as those of a time when it was off.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::output;
use crate::config::Dirs;
use crate::journal::Store;
use crate::secret::AuditLog;

/// Runs that are looked through, the newest first: more would take longer than anybody waits.
const RUNS: usize = 500;

/// One time that a secret was given out.
#[derive(Debug, Clone)]
pub(super) struct Use {
    /// The secret, as the recipe or the command refers to it.
    pub secret: String,
    /// The word of the audit log for what was done: `deliver`, `reveal`, …
    pub deed: &'static str,
    /// The run, where it was one.
    pub run: Option<String>,
    /// The step of the run.
    pub step: Option<String>,
    /// The host that got it; none for this machine.
    pub host: Option<String>,
    /// When.
    pub time: Option<Timestamp>,
}

impl Use {
    /// Whether it was this secret, or a part or version of it.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let plain = self.secret.split(['#', '@']).next().unwrap_or_default();
        plain == name || plain.split_once(':').is_some_and(|(_, path)| path == name)
    }
}

/// Every use, the newest first. A journal that can't be read is passed over: `doppio runs` tells
/// of it.
pub(super) fn all(context: &Context) -> Vec<Use> {
    let dirs = Dirs::new(&context.env, &context.home);
    let mut uses = audited(&AuditLog::new(dirs.state()));
    let known: HashSet<String> = uses.iter().filter_map(|used| used.run.clone()).collect();
    uses.extend(journalled(&Store::new(dirs.runs()), &known));
    uses.sort_by_key(|used| std::cmp::Reverse(used.time));
    uses
}

/// What the audit log says.
fn audited(log: &AuditLog) -> Vec<Use> {
    let entries = log.entries().unwrap_or_else(|error| {
        output::line(&format!("warning: the audit log can't be read, so some uses are not known: {error}"));
        Vec::new()
    });
    let given = entries.into_iter().filter(|entry| entry.what.deed.gives_out());
    given
        .map(|entry| Use {
            secret: entry.what.secret,
            deed: entry.what.deed.word(),
            run: entry.what.run,
            step: entry.what.step,
            host: entry.what.host,
            time: Some(entry.time),
        })
        .collect()
}

/// What the journals say of runs that are not `known`.
fn journalled(store: &Store, known: &HashSet<String>) -> Vec<Use> {
    let mut uses = Vec::new();
    for run in store.list().unwrap_or_default().into_iter().take(RUNS) {
        if known.contains(run.as_str()) {
            continue;
        }
        let Ok(record) = store.read(&run) else { continue };
        for step in record.state.leaves() {
            for delivery in step.deliveries.iter().filter(|delivery| !delivery.is_default) {
                uses.push(Use {
                    secret: delivery.secret.as_str().to_owned(),
                    deed: "deliver",
                    run: Some(run.to_string()),
                    step: Some(step.outline.id.to_string()),
                    host: step.host.as_ref().map(ToString::to_string),
                    time: step.started,
                });
            }
        }
    }
    uses
}
