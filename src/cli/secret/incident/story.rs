//! What is known of an incident, and how it is reported.

use std::collections::BTreeSet;
use std::path::Path;

use doppio_process::GitError;
use doppio_process::Repository;
use doppio_secrets::SecretValue;
use doppio_secrets::scan::Finding;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::Scanner;
use doppio_secrets::scan::Trouble;
use doppio_secrets::scan::What;
use doppio_secrets::vendor;
use doppio_text::exact;
use doppio_text::name::SecretName;
use doppio_text::shell::quote;

use crate::cli::secret::uses;
use crate::cli::secret::uses::Use;

/// Locations that are listed of each kind; the rest is counted.
const SHOWN: usize = 20;

/// Digits of an id that people see.
const ID: usize = 12;

/// Git takes an object for binary if there is a NUL among so many bytes.
const PROBE: usize = 8000;

/// Where remotes have it.
#[derive(Debug, Default)]
struct Remotes {
    branches: BTreeSet<String>,
    tags: BTreeSet<String>,
    /// Whether there is any remote.
    exist: bool,
}

/// What is known.
pub(super) struct Story<'a> {
    name: &'a SecretName,
    scanner: &'a Scanner,
    pub(super) tree: Report,
    pub(super) staged: Report,
    pub(super) history: Report,
    /// The repository has no index.
    pub(super) is_bare: bool,
    /// The folder is that of the repository itself.
    pub(super) is_store: bool,
    remotes: Remotes,
    /// Objects of the history that git takes for binary.
    binary: BTreeSet<String>,
    /// The times that it was given out.
    uses: Vec<Use>,
    /// Why it is not known which remotes have it.
    unasked: Option<String>,
}

impl<'a> Story<'a> {
    pub(super) fn new(name: &'a SecretName, scanner: &'a Scanner) -> Self {
        Self {
            name,
            scanner,
            tree: Report::default(),
            staged: Report::default(),
            history: Report::default(),
            is_bare: false,
            is_store: false,
            remotes: Remotes::default(),
            binary: BTreeSet::new(),
            uses: Vec::new(),
            unasked: None,
        }
    }

    /// What of the history the remotes had when they were last fetched from or pushed to.
    pub(super) fn ask_remotes(&mut self, repository: &Repository) {
        if let Err(error) = self.try_remotes(repository) {
            self.unasked = Some(error.to_string());
        }
        let objects: BTreeSet<&String> =
            self.history.findings.iter().filter_map(|finding| finding.object.as_ref()).collect();
        for object in objects {
            // A message of a commit is not a file. What can't be read now may be binary, and then
            // only a removal helps.
            let is_binary = match repository.read(&["cat-file", "blob", object]) {
                Ok(bytes) => bytes[..bytes.len().min(PROBE)].contains(&0),
                Err(_) => repository.read(&["cat-file", "-e", &format!("{object}^{{blob}}")]).is_ok(),
            };
            if is_binary {
                self.binary.insert(object.clone());
            }
        }
    }

    fn try_remotes(&mut self, repository: &Repository) -> Result<(), GitError> {
        let text = |arguments: &[&str]| {
            repository.read(arguments).map(|out| String::from_utf8_lossy(&out).into_owned())
        };
        self.remotes.exist = !text(&["remote"])?.trim().is_empty();
        for commit in commits(&self.history) {
            let contains = format!("--contains={commit}");
            let list = |refs: &str| text(&["for-each-ref", &contains, "--format=%(refname:short)", refs]);
            self.remotes.branches.extend(list("refs/remotes")?.lines().map(str::to_owned));
            self.remotes.tags.extend(list("refs/tags")?.lines().map(str::to_owned));
        }
        Ok(())
    }

    /// Keeps of all uses those of it: under its name, under the path of a source, or under any
    /// other name with one of the values of these fingerprints.
    pub(super) fn remember(&mut self, uses: Vec<Use>, prints: &BTreeSet<String>) {
        self.uses = uses;
        self.uses.retain(|used| {
            uses::is_of(&used.secret, self.name.as_str())
                || used.fingerprint.as_ref().is_some_and(|print| prints.contains(print))
        });
    }

    pub(super) fn is_found(&self) -> bool {
        [&self.tree, &self.staged, &self.history].iter().any(|report| !report.findings.is_empty())
    }

    /// What could not be looked at.
    pub(super) fn troubles(&self) -> impl Iterator<Item = &[Trouble]> {
        [&self.tree, &self.staged, &self.history].into_iter().map(|report| report.troubles.as_slice())
    }

    /// Whether all of it was looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.unasked.is_none() && self.troubles().all(<[Trouble]>::is_empty)
    }

    /// The bytes that were found, as they stand there.
    pub(super) fn texts(&self) -> impl Iterator<Item = &SecretValue> {
        [&self.tree, &self.staged, &self.history]
            .into_iter()
            .flat_map(|report| &report.findings)
            .filter_map(|finding| finding.hit.text.as_ref())
    }

    /// All of it, for people.
    pub(super) fn tell(&self, replacements: Option<&Path>, has_git: bool) -> String {
        let mut text = Vec::new();
        self.tell_locations(&mut text, has_git);
        self.tell_hosts(&mut text);
        text.extend([String::new(), "what to do, in this order:".to_owned()]);
        let mut steps = Steps { text: &mut text, number: 0 };
        self.tell_new_value(&mut steps);
        if !self.tree.findings.is_empty() || !self.staged.findings.is_empty() {
            steps.add(
                "remove it from the files above, and write `${secret:…}` or a variable instead",
                "git restore --staged FILE        # for what is only staged",
            );
        }
        if !self.history.findings.is_empty() {
            self.tell_rewriting(&mut steps, replacements);
        }
        steps.add("prevent it from happening again", "doppio secret scan --install-hook");
        text.push(String::new());
        text.join("\n")
    }

    fn tell_locations(&self, text: &mut Vec<String>, has_git: bool) {
        let mut part = |title: &str, report: &Report, exists: bool| {
            if report.findings.is_empty() {
                let files = report.files;
                let words = match (files, report.troubles.is_empty()) {
                    _ if !exists => "there is none, the repository is bare".to_owned(),
                    (_, true) => format!("not found in {files} files"),
                    (0, _) => "could not be looked at".to_owned(),
                    _ => format!("not found in {files} files, but not all of it could be looked at"),
                };
                text.push(format!("{title}: {words}"));
                return;
            }
            text.push(format!("{title}:"));
            for finding in report.findings.iter().take(SHOWN) {
                text.push(format!("  {}", self.location(finding)));
            }
            if let Some(more) = report.findings.len().checked_sub(SHOWN + 1) {
                text.push(format!("  and {} more", more + 1));
            }
        };
        part("working tree", &self.tree, !self.is_store);
        if !has_git {
            text.push("history: the folder is not in a git repository".to_owned());
            return;
        }
        part("staged changes", &self.staged, !self.is_bare);
        part("history", &self.history, true);
        let branches = join(&self.remotes.branches);
        if let Some(cause) = &self.unasked {
            text.push(format!("remotes: which of them have it is not known: {cause}"));
            return;
        }
        let known = match (self.history.findings.is_empty(), self.remotes.exist, branches.as_str()) {
            (true, ..) => return,
            (_, false, _) => "this repository knows no remotes".to_owned(),
            (.., "") => "no remote branch had it when this repository last fetched".to_owned(),
            (.., names) => format!("PUBLISHED, these remote branches have it: {names}"),
        };
        text.push(format!("remotes: {known}"));
        if !self.remotes.tags.is_empty() {
            text.push(format!("tags that have it: {}", join(&self.remotes.tags)));
        }
    }

    fn location(&self, finding: &Finding) -> String {
        let commit = finding.commit.as_ref().or(finding.object.as_ref());
        let commit = commit.map_or_else(String::new, |id| format!("{}:", &id[..id.len().min(ID)]));
        let form = match finding.hit.what {
            What::Value(_, encoding) => encoding.word(),
            What::Shape(id) => id,
        };
        let name = self.scanner.name(finding.hit.what);
        let location = if finding.in_path {
            "in the name of the file".to_owned()
        } else {
            format!("line {}, column {}", finding.hit.line, finding.hit.column)
        };
        format!("{commit}{}, {location} ({name}, {form})", exact(&finding.path))
    }

    fn tell_hosts(&self, text: &mut Vec<String>) {
        if self.uses.is_empty() {
            text.push("hosts: the audit log and the journals show none that got it".to_owned());
            return;
        }
        text.push("given to, according to the audit log and the journals:".to_owned());
        for line in uses::by_host(&self.uses) {
            text.push(format!("  {line}"));
        }
    }

    fn tell_new_value(&self, steps: &mut Steps<'_>) {
        let known = vendor::known(self.name);
        let revoke = known.map_or_else(String::new, |known| known.revoke().to_owned());
        let title = "revoke it where it was issued: after that, everything else is cleanup";
        steps.add(title, if revoke.is_empty() { "ask whoever issued it" } else { &revoke });
        steps.add("store the new one", &format!("doppio secret rotate {}", self.name));
        if !self.uses.is_empty() {
            steps.add(
                "stop or restart what still runs with the old one on the hosts above",
                "doppio runs list",
            );
        }
    }

    fn tell_rewriting(&self, steps: &mut Steps<'_>, replacements: Option<&Path>) {
        let written = replacements.map(|path| quote(&path.display().to_string()));
        let file = written.clone().unwrap_or_else(|| "/dev/shm/replacements".to_owned());
        let mut lines = Vec::new();
        if written.is_none() {
            lines.push(format!("doppio secret incident {} --write-replacements {file}", self.name));
        }
        lines.push("git clone --mirror URL rewritten.git && cd rewritten.git".to_owned());
        let findings = &self.history.findings;
        let mut filter = vec![format!("git filter-repo --sensitive-data-removal --replace-text {file}")];
        if findings.iter().any(|finding| finding.path == b"(message)") {
            filter.push(format!("--replace-message {file}"));
        }
        if findings.iter().any(|finding| finding.in_path) {
            filter.push(format!("--paths-from-file {file}"));
        }
        if !self.binary.is_empty() {
            filter.push("--strip-blobs-with-ids IDS".to_owned());
        }
        lines.extend([filter.join(" "), "git push --force --mirror origin".to_owned(), format!("rm {file}")]);
        steps.add(
            "rewrite the history, in a fresh clone; everybody who has a clone must clone again",
            &lines.join("\n"),
        );
        if !self.binary.is_empty() {
            let ids: Vec<&str> = self.binary.iter().map(String::as_str).collect();
            steps.add(
                "in IDS, these objects: git treats them as binary and replaces nothing in them",
                &ids.join("\n"),
            );
        }
        steps.add(
            "rewriting does not reach forks, clones, caches of the forge, pull requests, CI logs and artefacts",
            "ask the forge's support to remove what is cached; treat the old value as public",
        );
    }
}

/// The commits that brought it.
fn commits(history: &Report) -> BTreeSet<&String> {
    history.findings.iter().filter_map(|finding| finding.commit.as_ref()).collect()
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Numbered steps with their commands.
struct Steps<'a> {
    text: &'a mut Vec<String>,
    number: u32,
}

impl Steps<'_> {
    fn add(&mut self, what: &str, commands: &str) {
        self.number += 1;
        self.text.push(format!("  {}. {what}", self.number));
        self.text.extend(commands.lines().map(|line| format!("       {line}")));
    }
}
