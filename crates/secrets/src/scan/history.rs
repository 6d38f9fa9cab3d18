//! Everything that git keeps: each object once, whatever branch, stash, note or deleted branch it
//! is from; then, for what was found, the first commit that brought it.

mod commits;

use doppio_process::GitError;
use doppio_process::Repository;

use crate::scan::Finding;
use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::Trouble;
use crate::scan::objects::look;
use crate::scan::work::share;
use crate::scan::work::threads;

use commits::Brought;

/// An object of the store.
struct Object {
    id: String,
    is_blob: bool,
}

/// Looks through all files of all commits and their names, and the messages of commits and tags.
/// What a shallow or partial clone does not have is reported; nothing is fetched.
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
            commits.push(id);
        }
        if kind != "tree" {
            objects.push(Object { id: id.to_owned(), is_blob: kind == "blob" });
        }
    }
    let threads = threads().min(objects.len().div_ceil(256)).max(1);
    let parts: Vec<&[Object]> = objects.chunks(objects.len().div_ceil(threads).max(1)).collect();
    let mut report: Report =
        share(parts, |part| {
            let ids: Vec<&str> = part.iter().map(|object| object.id.as_str()).collect();
            look(repository, scanner, &ids, |index| {
                if part[index].is_blob { Vec::new() } else { b"(message)".to_vec() }
            })
        })
        .into_iter()
        .collect();
    let known = objects.iter().map(|object| object.id.as_str()).collect();
    let brought = {
        let wanted = nameless(&report.findings).filter_map(|finding| finding.object.as_deref()).collect();
        commits::walk(scanner, repository, &commits, &wanted, &known)
    };
    name(&mut report.findings, scanner, &brought);
    report.troubles.extend(not_there(repository, &brought)?);
    report.troubles.extend(brought.troubles);
    report.findings.extend(brought.names.into_values().flatten());
    report.sort();
    Ok(report)
}

/// What was found in files.
fn nameless(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.path.is_empty())
}

/// Says of each finding which commit brought it first, and under which path.
fn name(findings: &mut [Finding], scanner: &Scanner, brought: &Brought) {
    for finding in findings {
        if !finding.path.is_empty() {
            // The message of a commit or a tag.
            finding.commit.clone_from(&finding.object);
            continue;
        }
        let found = finding.object.as_deref().and_then(|object| brought.first.get(object));
        if let Some((commit, path)) = found {
            finding.commit = Some(commit.clone());
            finding.path = scanner.mask(path);
        } else if brought.troubles.is_empty() {
            finding.path = b"(in no commit)".to_vec();
        } else {
            // What was found is reported anyway, by its object.
            finding.path = b"(in a commit that git can't name)".to_vec();
        }
    }
}

/// What of the history is not in this clone.
fn not_there(repository: &Repository, brought: &Brought) -> Result<Vec<Trouble>, GitError> {
    let mut troubles = Vec::new();
    if repository.read(&["rev-parse", "--is-shallow-repository"])?.starts_with(b"true") {
        troubles.push(Trouble {
            path: b"the older commits".to_vec(),
            cause: "this clone is shallow and does not have them: run `git fetch --unshallow`".to_owned(),
        });
    }
    let is_partial = String::from_utf8_lossy(&repository.read(&["config", "--list", "--name-only"])?)
        .lines()
        .any(|key| key.starts_with("remote.") && key.ends_with(".promisor"));
    if is_partial && !(brought.missing.is_empty() && brought.troubles.is_empty()) {
        troubles.push(Trouble {
            path: b"all files of all commits".to_vec(),
            cause: "this clone is partial and does not have them: run `git fetch --refetch --no-filter`"
                .to_owned(),
        });
    } else {
        troubles.extend(brought.missing.iter().map(|id| Trouble {
            path: format!("object {id}").into_bytes(),
            cause: "a commit names it, and git does not have it".to_owned(),
        }));
    }
    Ok(troubles)
}
