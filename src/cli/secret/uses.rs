//! Where secrets went: what the audit log says, and what the journals say that is not in it, as of
//! a time when it was off or could not be written.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::io::ErrorKind;

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::AuditLog;
use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_text::name::RunId;

use crate::cli::context::Context;
use crate::cli::output;
use crate::config::Dirs;
use crate::journal::Store;

/// Runs that are looked through, the newest first: more would take longer than anybody waits.
const RUNS: usize = 500;

/// Runs that are named of each host; the rest is counted.
const NAMED: usize = 3;

/// One time that a secret was given out.
#[derive(Debug, Clone)]
pub(super) struct Use {
    /// The secret, as the recipe or the command refers to it.
    pub secret: String,
    /// The word of the audit log for what was done: `deliver`, `reveal`, …
    pub action: &'static str,
    /// The run, where it was one.
    pub run: Option<String>,
    /// The step of the run.
    pub step: Option<String>,
    /// The host that got it; none for this machine.
    pub host: Option<String>,
    /// When.
    pub time: Option<Timestamp>,
    /// What stands for the value, where the audit log knows it.
    pub fingerprint: Option<String>,
}

/// Whether what was used is this secret: by its name, by its path in a source, or by the reference
/// as it was written. A part or a version of it counts.
pub(super) fn is_of(used: &str, wanted: &str) -> bool {
    used == wanted
        || used.parse::<SecretRef>().is_ok_and(|reference| match &reference.origin {
            Origin::Name(name) => name.as_str() == wanted,
            Origin::Source { path, .. } => path == wanted,
        })
}

/// What is known.
#[derive(Debug)]
pub(super) struct Uses {
    /// The newest first.
    pub known: Vec<Use>,
    /// Whether the log and the journals could all be read; the user was told what could not.
    pub is_whole: bool,
}

impl Uses {
    fn miss(&mut self, what: &str, error: &impl ToString) {
        self.is_whole = false;
        let error = error.to_string();
        output::line(&format!("warning: {what} can't be read, so some uses are not known: {error}"));
    }
}

/// Every use.
pub(super) fn all(context: &Context) -> Uses {
    let dirs = Dirs::new(&context.env, &context.home);
    let mut uses = Uses { known: Vec::new(), is_whole: true };
    audited(&AuditLog::new(dirs.state()), &mut uses);
    journalled(&Store::new(dirs.runs()), &mut uses);
    uses.known.sort_by_key(|used| std::cmp::Reverse(used.time));
    uses
}

/// What the audit log says.
fn audited(log: &AuditLog, uses: &mut Uses) {
    let entries = log.entries().unwrap_or_else(|error| {
        uses.miss("the audit log", &error);
        Vec::new()
    });
    // What failed has a line of before, and may have got there all the same.
    let given = entries.into_iter().filter(|entry| entry.what.action.gives_out() && !entry.what.failed);
    uses.known.extend(given.map(|entry| Use {
        secret: entry.what.secret,
        action: entry.what.action.word(),
        run: entry.what.run,
        step: entry.what.step,
        host: entry.what.host,
        time: Some(entry.time),
        fingerprint: entry.what.fingerprint,
    }));
}

/// What the journals say and the log does not.
fn journalled(store: &Store, uses: &mut Uses) {
    let key = |used: &Use| (used.run.clone(), used.step.clone(), used.secret.clone());
    let logged: HashSet<_> = uses.known.iter().map(key).collect();
    let runs = store.list().unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        uses.miss("the folder of the runs", &cause);
        Vec::new()
    });
    for run in runs.iter().take(RUNS) {
        match delivered(store, run) {
            Ok(given) => uses.known.extend(given.into_iter().filter(|used| !logged.contains(&key(used)))),
            // It was removed meanwhile, or has not begun.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => uses.miss(&format!("the journal of run `{run}`"), &error),
        }
    }
}

/// What a run's journal says.
fn delivered(store: &Store, run: &RunId) -> std::io::Result<Vec<Use>> {
    let record = store.read(run)?;
    let mut uses = Vec::new();
    for step in record.state.leaves() {
        uses.extend(step.deliveries.iter().filter(|delivery| !delivery.is_default).map(|delivery| Use {
            secret: delivery.secret.as_str().to_owned(),
            action: AuditAction::Deliver.word(),
            run: Some(run.to_string()),
            step: Some(step.outline.id.to_string()),
            host: step.host.as_ref().map(ToString::to_string),
            time: step.started,
            fingerprint: None,
        }));
    }
    Ok(uses)
}

/// A line for people of each host and step that got it, with the days of the first and the last time and
/// the last runs.
pub(super) fn by_host<'a>(uses: impl IntoIterator<Item = &'a Use>) -> Vec<String> {
    let mut hosts: BTreeMap<String, Vec<&Use>> = BTreeMap::new();
    for used in uses {
        let host = used.host.clone().unwrap_or_else(|| format!("this machine, {}", used.action));
        let step = used.step.as_ref().map_or_else(String::new, |step| format!(", step {step}"));
        hosts.entry(host + &step).or_default().push(used);
    }
    hosts.iter().map(|(host, uses)| format!("{host}: {}", times(uses))).collect()
}

fn times(uses: &[&Use]) -> String {
    let days: BTreeSet<String> =
        uses.iter().filter_map(|used| Some(used.time?.strftime("%Y-%m-%d").to_string())).collect();
    let mut words = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first == last => first.clone(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "at an unknown time".to_owned(),
    };
    // Their ids begin with the time.
    let runs: BTreeSet<&str> = uses.iter().filter_map(|used| used.run.as_deref()).collect();
    if !runs.is_empty() {
        let named: Vec<&str> = runs.iter().rev().take(NAMED).copied().collect();
        words.extend([if runs.len() == 1 { ", run " } else { ", runs " }, &named.join(", ")]);
    }
    if runs.len() > NAMED {
        words.extend([" and ", &(runs.len() - NAMED).to_string(), " older"]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_its_path_and_the_reference_to_it() {
        for (used, wanted) in [
            ("team/key", "team/key"),
            ("team/key@3", "team/key"),
            ("team/key#user@3", "team/key"),
            ("file:team/key", "team/key"),
            ("file:team/key#user", "team/key"),
            ("op:Shared/Keys, old/token", "Shared/Keys, old/token"),
            ("op:a%40b/c%23d", "a@b/c#d"),
            ("op:a%40b/c%23d", "op:a%40b/c%23d"),
            ("env:KEYS#a", "env:KEYS#a"),
        ] {
            assert!(is_of(used, wanted), "{used} is {wanted}");
        }
        for (used, wanted) in [("team/key2", "team/key"), ("team/key", "key"), ("op:a%40b", "a")] {
            assert!(!is_of(used, wanted), "{used} is not {wanted}");
        }
    }

    #[test]
    fn many_runs_make_a_line() {
        let a_use = |day: u32, host: &str, step: &str| Use {
            secret: "a/b".to_owned(),
            action: "deliver",
            run: Some(format!("202611{day:02}")),
            step: Some(step.to_owned()),
            host: Some(host.to_owned()),
            time: Some(format!("2026-11-{day:02}T10:00:00Z").parse().unwrap()),
            fingerprint: None,
        };
        let mut uses: Vec<Use> = (1..=20).map(|day| a_use(day, "gpu", "train")).collect();
        uses.extend([a_use(7, "gpu", "tidy"), a_use(8, "local", "train"), a_use(9, "local", "train")]);
        let shown =
            Use { run: None, step: None, host: None, action: "reveal", time: None, ..a_use(1, "", "") };
        uses.push(shown);
        insta::assert_snapshot!(by_host(&uses).join("\n"), @"
        gpu, step tidy: 2026-11-07, run 20261107
        gpu, step train: 2026-11-01 to 2026-11-20, runs 20261120, 20261119, 20261118 and 17 older
        local, step train: 2026-11-08 to 2026-11-09, runs 20261109, 20261108
        this machine, reveal: at an unknown time
        ");
    }
}
