//! What each commit brought, held against its parents: under which names, and which of it git
//! has.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use doppio_process::GitError;
use doppio_process::Repository;

use crate::scan::Examiner;
use crate::scan::Finding;
use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::Trouble;
use crate::scan::staged::new_object;
use crate::scan::work::share;
use crate::scan::work::threads;

/// Commits that git is asked about at once: what it says of them is held in memory.
const AT_ONCE: usize = 4096;

/// What the commits brought.
#[derive(Default)]
pub(super) struct Brought {
    /// The first commit and path of each object that is wanted.
    pub first: HashMap<String, (String, Vec<u8>)>,
    /// What stands in the name of a file, by that.
    pub names: BTreeMap<Vec<u8>, Vec<Finding>>,
    /// Files that git does not have.
    pub missing: BTreeSet<String>,
    /// Commits that could not be looked at.
    pub troubles: Vec<Trouble>,
}

impl Brought {
    /// Adds what later commits brought.
    fn then(mut self, later: Self) -> Self {
        for (object, place) in later.first {
            self.first.entry(object).or_insert(place);
        }
        for (path, findings) in later.names {
            self.names.entry(path).or_insert(findings);
        }
        self.missing.extend(later.missing);
        self.troubles.extend(later.troubles);
        self
    }
}

/// Goes through commits, parents before children. `known` are the objects that git keeps.
pub(super) fn walk(
    scanner: &Scanner,
    repository: &Repository,
    commits: &[&str],
    wanted: &HashSet<&str>,
    known: &HashSet<&str>,
) -> Brought {
    let all = (commits.join("\n") + "\n").into_bytes();
    let order = ["rev-list", "--stdin", "--topo-order", "--reverse", "--ignore-missing"];
    let ordered = match repository.read_with(&order, &all) {
        Ok(ordered) => ordered,
        Err(error) => return Brought { troubles: vec![trouble(&error)], ..Brought::default() },
    };
    let ordered: Vec<&[u8]> = ordered.split_inclusive(|&byte| byte == b'\n').collect();
    let threads = threads().min(ordered.len().div_ceil(256)).max(1);
    let parts = ordered.chunks(ordered.len().div_ceil(threads).max(1)).collect();
    share(parts, |part: &[&[u8]]| {
        let mut walk =
            Walk { scanner, examiner: Examiner::new(scanner), wanted, known, seen: HashSet::new() };
        let mut brought = Brought::default();
        for commits in part.chunks(AT_ONCE) {
            match differences(repository, &commits.concat()) {
                Ok(raw) => walk.read(&raw, &mut brought),
                Err(error) => brought.troubles.push(trouble(&error)),
            }
        }
        brought
    })
    .into_iter()
    .fold(Brought::default(), Brought::then)
}

fn trouble(error: &GitError) -> Trouble {
    Trouble { path: b"the commits".to_vec(), cause: error.to_string() }
}

/// What commits have that no parent has.
fn differences(repository: &Repository, commits: &[u8]) -> Result<Vec<u8>, GitError> {
    let arguments = [
        "diff-tree",
        "--stdin",
        "--root",
        "-r",
        "-c",
        "-z",
        "--raw",
        "--no-ext-diff",
        "--no-textconv",
        "--no-abbrev",
        "--no-renames",
        "--always",
    ];
    repository.read_with(&arguments, commits)
}

/// One thread's part.
struct Walk<'a> {
    scanner: &'a Scanner,
    examiner: Examiner<'a>,
    wanted: &'a HashSet<&'a str>,
    known: &'a HashSet<&'a str>,
    /// Names of files.
    seen: HashSet<Vec<u8>>,
}

impl Walk<'_> {
    fn read(&mut self, raw: &[u8], brought: &mut Brought) {
        let mut commit = String::new();
        let mut fields = raw.split(|&byte| byte == 0);
        while let Some(head) = fields.next() {
            let head = String::from_utf8_lossy(head);
            if !head.starts_with(':') {
                // Under `-z` the id of the commit ends as the fields do.
                head.trim().clone_into(&mut commit);
                continue;
            }
            if let (Some(path), Some(object)) = (fields.next(), new_object(&head)) {
                self.take(&commit, object, path, brought);
            }
        }
    }

    fn take(&mut self, commit: &str, object: &str, path: &[u8], brought: &mut Brought) {
        if self.wanted.contains(object) && !brought.first.contains_key(object) {
            brought.first.insert(object.to_owned(), (commit.to_owned(), path.to_vec()));
        }
        if !self.known.contains(object) {
            brought.missing.insert(object.to_owned());
        }
        if self.seen.contains(path) {
            return;
        }
        self.seen.insert(path.to_vec());
        let mut report = Report::default();
        report.enter(self.scanner, &mut self.examiner, path, None, Vec::new());
        if !report.findings.is_empty() {
            report.findings.iter_mut().for_each(|finding| finding.commit = Some(commit.to_owned()));
            brought.names.insert(path.to_vec(), report.findings);
        }
    }
}
