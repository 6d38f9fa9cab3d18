//! The files of a folder, as git sees them: without those it ignores, with those it tracks
//! nevertheless.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use ignore::WalkBuilder;
use ignore::WalkState;
use rustix::fs::OFlags;

use crate::secret::scan::Examiner;
use crate::secret::scan::GitError;
use crate::secret::scan::Report;
use crate::secret::scan::Repository;
use crate::secret::scan::Scanner;
use crate::secret::scan::Trouble;
use crate::secret::scan::work::threads;

/// What of the files is looked at.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Files and folders. A file that is named here is looked at, ignored or not.
    pub paths: Vec<PathBuf>,
    /// Look at files that git ignores too.
    pub ignored: bool,
}

/// Looks through files. Links are not followed, archives are not opened, and of `.git` only the
/// configuration is read, which may hold a password in the address of a remote.
pub fn tree(scanner: &Scanner, tree: &Tree) -> Report {
    let report = Mutex::new(Report::default());
    let mut walker: Option<WalkBuilder> = None;
    let (mut extra, mut troubles) = (Vec::new(), Vec::new());
    for path in &tree.paths {
        if !tree.ignored {
            match tracked_and_ignored(path) {
                Ok(paths) => extra.extend(paths),
                Err(error) => troubles.push(Trouble {
                    path: scanner.mask(path.as_os_str().as_bytes()),
                    cause: format!("what git tracks there is not known: {error}"),
                }),
            }
        }
        extra.push(path.join(".git/config"));
        // A link that is named is meant: with a slash after it, it is the folder.
        let start = if path.is_symlink() { path.join("") } else { path.clone() };
        match &mut walker {
            Some(walker) => {
                walker.add(start);
            }
            None => walker = Some(WalkBuilder::new(start)),
        }
    }
    let Some(mut walker) = walker else { return Report::default() };
    walker
        .hidden(false)
        .ignore(false)
        .git_ignore(!tree.ignored)
        .git_global(!tree.ignored)
        .git_exclude(!tree.ignored)
        .parents(!tree.ignored)
        .require_git(false)
        .follow_links(false)
        .threads(threads())
        .filter_entry(|entry| entry.file_name() != ".git" || entry.depth() == 0);
    walker.build_parallel().run(|| {
        let mut visitor =
            Visitor { examiner: Examiner::new(scanner), own: Report::default(), all: &report, scanner };
        Box::new(move |entry| {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    visitor.visit(entry.path());
                }
                Ok(_) => {}
                Err(error) => visitor.trouble(&error),
            }
            WalkState::Continue
        })
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut rest = Report { troubles, ..Report::default() };
    let mut examiner = Examiner::new(scanner);
    for path in extra.iter().filter(|path| path.symlink_metadata().is_ok_and(|found| found.is_file())) {
        look(scanner, &mut examiner, path, &mut rest);
    }
    report.add(rest);
    report.sort();
    report
}

/// One thread's part.
struct Visitor<'a> {
    scanner: &'a Scanner,
    examiner: Examiner<'a>,
    own: Report,
    all: &'a Mutex<Report>,
}

impl Visitor<'_> {
    fn visit(&mut self, path: &Path) {
        look(self.scanner, &mut self.examiner, path, &mut self.own);
    }

    fn trouble(&mut self, error: &ignore::Error) {
        // A folder that can't be read is told by its path, which the error has with it.
        let text = error.to_string();
        let (path, cause) = text.split_once(": ").unwrap_or(("", &text));
        let path = self.scanner.mask(path.as_bytes());
        self.own.troubles.push(Trouble { path, cause: cause.to_owned() });
    }
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let own = std::mem::take(&mut self.own);
        self.all.lock().unwrap_or_else(PoisonError::into_inner).add(own);
    }
}

fn look(scanner: &Scanner, examiner: &mut Examiner<'_>, path: &Path, report: &mut Report) {
    let shown = path.strip_prefix("./").unwrap_or(path).as_os_str().as_bytes();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let done = opened.and_then(|mut file| examiner.stream(&mut file as &mut dyn Read));
    match done {
        Ok((hits, bytes)) => {
            report.files += 1;
            report.bytes += bytes;
            report.enter(scanner, examiner, shown, None, hits);
        }
        // It was there a moment ago; what is gone holds nothing.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            report.troubles.push(Trouble { path: scanner.mask(shown), cause: error.to_string() });
        }
    }
}

/// Files that git has in its index though it is told to ignore them; none where there is no git
/// or no index.
fn tracked_and_ignored(path: &Path) -> Result<Vec<PathBuf>, GitError> {
    let repository = match Repository::at(path) {
        Ok(repository) => repository,
        Err(error @ GitError::Failed { .. }) => return Err(error),
        Err(GitError::NoGit { .. } | GitError::NoRepository { .. }) => return Ok(Vec::new()),
    };
    let listed = repository.read(&["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"])?;
    let names = listed.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| path.join(std::ffi::OsStr::from_bytes(name))).collect())
}
