//! Objects of git's store, looked through as git prints them.

use std::io;
use std::io::BufRead;
use std::io::Read;

use doppio_process::GitError;
use doppio_process::Repository;
use doppio_process::Stream;

use crate::scan::Examiner;
use crate::scan::Hit;
use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::Trouble;

/// Damaged objects that are stepped over. Each costs a new start of git.
const DAMAGED: usize = 1000;

/// Looks through objects by their ids.
pub(super) fn look(
    repository: &Repository,
    scanner: &Scanner,
    ids: &[&str],
    path: impl Fn(usize) -> Vec<u8>,
) -> Report {
    let mut report = Report::default();
    let mut from = 0;
    // Git ends at an object whose bytes are damaged; those after it are still to be looked at.
    for _ in 0..DAMAGED {
        match look_from(repository, from, scanner, ids, &path, &mut report) {
            Ok(end) if end == ids.len() => return report,
            Ok(end) => {
                report.troubles.push(unreadable(ids[end]));
                from = end + 1;
            }
            Err(error) => {
                report.troubles.push(cannot_go_on(&error.to_string()));
                return report;
            }
        }
    }
    report.troubles.push(cannot_go_on("too many objects are damaged"));
    report
}

/// Looks through the objects from this one on; says which one git ended at, or how many there
/// are.
fn look_from(
    repository: &Repository,
    from: usize,
    scanner: &Scanner,
    ids: &[&str],
    path: &impl Fn(usize) -> Vec<u8>,
    report: &mut Report,
) -> Result<usize, GitError> {
    let mut input = Vec::with_capacity(ids.len() * 41);
    for id in &ids[from..] {
        input.extend_from_slice(id.as_bytes());
        input.push(b'\n');
    }
    let mut objects = Objects(repository.stream(&["cat-file", "--batch", "--buffer"], input)?);
    let mut examiner = Examiner::new(scanner);
    let mut at = from;
    while let Some(id) = ids.get(at) {
        match objects.next(&mut examiner) {
            Ok(Some((hits, bytes))) => {
                report.files += 1;
                report.bytes += bytes;
                report.enter(scanner, &mut examiner, &path(at), Some(id), hits);
            }
            Ok(None) => report.troubles.push(unreadable(id)),
            Err(_) => break,
        }
        at += 1;
    }
    Ok(at)
}

fn unreadable(id: &str) -> Trouble {
    Trouble {
        path: format!("object {id}").into_bytes(),
        cause: "git can't read it: it is damaged, or is not in this clone".to_owned(),
    }
}

fn cannot_go_on(cause: &str) -> Trouble {
    Trouble { path: b"git cat-file".to_vec(), cause: cause.to_owned() }
}

/// The answers of `git cat-file --batch`.
struct Objects(Stream);

impl Objects {
    /// Looks through the next object; none where git does not have it.
    fn next(&mut self, examiner: &mut Examiner<'_>) -> io::Result<Option<(Vec<Hit>, u64)>> {
        let mut head = Vec::new();
        self.0.read_until(b'\n', &mut head)?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut words = head.split_ascii_whitespace().skip(1);
        let (kind, size) = (words.next(), words.next().and_then(|size| size.parse::<u64>().ok()));
        let Some(size) = size else {
            let is_missing = kind == Some("missing");
            return if is_missing { Ok(None) } else { Err(io::Error::other("it ended early")) };
        };
        let mut body = self.0.by_ref().take(size);
        let (hits, bytes) = examiner.stream(&mut body)?;
        if bytes < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.0.read_exact(&mut [0])?;
        Ok(Some((hits, bytes)))
    }
}
