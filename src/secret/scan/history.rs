//! Everything that git keeps: each object once, whatever branch, stash, note or deleted branch it
//! is from; then, for what was found, the first commit that brought it.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::secret::scan::Finding;
use crate::secret::scan::GitError;
use crate::secret::scan::Report;
use crate::secret::scan::Repository;
use crate::secret::scan::Scanner;
use crate::secret::scan::Trouble;
use crate::secret::scan::staged::changed;
use crate::secret::scan::work::share;
use crate::secret::scan::work::threads;

/// An object of the store.
struct Object {
    id: String,
    is_blob: bool,
}

/// Looks through all files of all commits, and the messages of commits and tags.
///
/// # Errors
///
/// When git can't be asked.
pub fn history(scanner: &Scanner, repository: &Repository) -> Result<Report, GitError> {
    // In the order of the packs, so that git builds one object on the other.
    let listed = repository.read(&[
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objectname) %(objecttype)",
    ])?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let mut objects = Vec::new();
    let mut commits = Vec::new();
    for line in listed.lines() {
        let Some((id, kind)) = line.split_once(' ') else { continue };
        if kind == "commit" {
            commits.push(id.to_owned());
        }
        if kind != "tree" {
            objects.push(Object { id: id.to_owned(), is_blob: kind == "blob" });
        }
    }
    let threads = threads().min(objects.len().div_ceil(256)).max(1);
    let parts: Vec<&[Object]> = objects.chunks(objects.len().div_ceil(threads).max(1)).collect();
    let mut report =
        share(parts, |part| {
            let ids: Vec<&str> = part.iter().map(|object| object.id.as_str()).collect();
            repository.look(scanner, &ids, |index| {
                if part[index].is_blob { Vec::new() } else { b"(message)".to_vec() }
            })
        });
    if let Err(error) = name(&mut report.findings, scanner, repository, &commits) {
        // What was found is told all the same, by its object.
        for finding in report.findings.iter_mut().filter(|finding| finding.path.is_empty()) {
            finding.path = b"(in a commit that git can't name)".to_vec();
        }
        report.troubles.push(Trouble { path: b"the commits".to_vec(), cause: error.to_string() });
    }
    report.sort();
    Ok(report)
}

/// Says of each finding which commit brought it first, and under which path.
fn name(
    findings: &mut [Finding],
    scanner: &Scanner,
    repository: &Repository,
    commits: &[String],
) -> Result<(), GitError> {
    let wanted: HashSet<&str> = findings
        .iter()
        .filter(|finding| finding.path.is_empty())
        .filter_map(|finding| finding.object.as_deref())
        .collect();
    let mut first = HashMap::new();
    if !wanted.is_empty() {
        first = first_commits(repository, commits, &wanted)?;
    }
    for finding in findings {
        if !finding.path.is_empty() {
            // The message of a commit or a tag.
            finding.commit.clone_from(&finding.object);
            continue;
        }
        let found = finding.object.as_deref().and_then(|object| first.get(object));
        if let Some((commit, path)) = found {
            finding.commit = Some(commit.clone());
            finding.path = scanner.mask(path);
        } else {
            finding.path = b"(in no commit)".to_vec();
        }
    }
    Ok(())
}

/// The first commit and path of each object, parents before children.
fn first_commits(
    repository: &Repository,
    commits: &[String],
    wanted: &HashSet<&str>,
) -> Result<HashMap<String, (String, Vec<u8>)>, GitError> {
    let all = (commits.join("\n") + "\n").into_bytes();
    let ordered = repository
        .read_with(&["rev-list", "--stdin", "--topo-order", "--reverse", "--ignore-missing"], all)?;
    let raw = repository.read_with(
        &[
            "diff-tree",
            "--stdin",
            "--root",
            "-r",
            "-m",
            "-z",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--always",
        ],
        ordered,
    )?;
    let mut first = HashMap::new();
    let mut commit = String::new();
    let mut rest = raw.as_slice();
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        if rest[0] != b':' {
            // Under `-z` the id of the commit ends as the fields do.
            let id = String::from_utf8_lossy(&rest[..end]);
            commit = id.split_whitespace().next().map(String::from).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let path = rest.get(end + 1..).unwrap_or_default();
        let path_end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
        for (object, path) in changed(&rest[..end + 1 + path_end]) {
            if wanted.contains(object.as_str()) {
                first.entry(object).or_insert_with(|| (commit.clone(), path));
            }
        }
        rest = path.get(path_end + 1..).unwrap_or_default();
    }
    Ok(first)
}
