//! What the next commit would bring.

use doppio_process::GitError;
use doppio_process::Repository;

use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::objects::look;
use crate::scan::work::share;
use crate::scan::work::threads;

/// The mode of a commit of another repository, which is not a file.
const SUBMODULE: &str = "160000";

/// Looks through the files that are changed in the index, whole: those that a commit would record
/// now, whatever lies in the working tree.
///
/// # Errors
///
/// When git can't be asked.
pub fn staged(scanner: &Scanner, repository: &Repository) -> Result<Report, GitError> {
    let listed = repository.read(&[
        "diff",
        "--cached",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--diff-filter=d",
    ])?;
    let files = changed(&listed);
    let threads = threads().min(files.len().div_ceil(64)).max(1);
    let parts: Vec<&[(String, Vec<u8>)]> = files.chunks(files.len().div_ceil(threads).max(1)).collect();
    let mut report: Report = share(parts, |part| {
        let ids: Vec<&str> = part.iter().map(|(id, _)| id.as_str()).collect();
        look(repository, scanner, &ids, |index| part[index].1.clone())
    })
    .into_iter()
    .collect();
    report.sort();
    Ok(report)
}

/// The new objects of `git diff --raw -z`, with their paths.
fn changed(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields = raw.split(|&byte| byte == 0);
    let mut files = Vec::new();
    while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
        if let Some(id) = new_object(&String::from_utf8_lossy(head)) {
            files.push((id.to_owned(), path.to_vec()));
        }
    }
    files
}

/// The new object of one head of `--raw`, which has a colon for each old one; none where the file
/// is gone or is a commit of another repository.
pub(super) fn new_object(head: &str) -> Option<&str> {
    let words = head.trim_start_matches(':');
    let old = head.len() - words.len();
    let words: Vec<&str> = words.split(' ').collect();
    let (mode, id) = (*words.get(old)?, *words.get(2 * old + 1)?);
    (mode != SUBMODULE && id.bytes().any(|byte| byte != b'0')).then_some(id)
}
