//! The files of a folder, as git sees them: without those it ignores, with those it tracks
//! nevertheless.

mod repositories;

use std::collections::HashMap;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use ignore::DirEntry;
use ignore::WalkBuilder;
use ignore::WalkState;
use rustix::fs::OFlags;

use doppio_process::Repository;
use doppio_process::is_store;

use crate::scan::Examiner;
use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::Trouble;
use crate::scan::work::threads;

/// What of the files is looked at.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Files and folders. A file that is named here is looked at, ignored or not.
    pub paths: Vec<PathBuf>,
    /// Look at files that git ignores too.
    pub ignored: bool,
}

/// Looks through files, each once. Links are not followed, archives are not opened, and of `.git`
/// only the configuration is read, which may hold a password in the address of a remote. The same
/// holds for the repositories that lie in a folder.
pub fn tree(scanner: &Scanner, tree: &Tree) -> Report {
    let all = All::default();
    let Some(walker) = walker(tree) else { return Report::default() };
    walker.build_parallel().run(|| {
        let mut looker = Looker::new(scanner, &all);
        Box::new(move |entry| match entry {
            Ok(entry) => looker.visit(&entry),
            Err(error) => {
                looker.trouble(&error);
                WalkState::Continue
            }
        })
    });
    let mut looker = Looker::new(scanner, &all);
    let folders = tree.paths.iter().filter(|path| path.is_dir() && !is_store(path));
    // What the environment says of a repository holds for where the command is given.
    let named = folders.map(|path| (path.clone(), Repository::at(path)));
    let inside: Vec<PathBuf> = std::mem::take(&mut *open(&all.repositories));
    let inside = inside.into_iter().map(|path| {
        let repository = Repository::alone(&path);
        (path, repository)
    });
    let mut seen = HashSet::new();
    for (folder, repository) in named.chain(inside) {
        if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
            continue;
        }
        for path in repositories::configuration(&folder) {
            looker.file(&path);
        }
        if tree.ignored {
            continue;
        }
        match repository.and_then(|repository| repositories::tracked(&folder, &repository)) {
            Ok(paths) => {
                for path in paths {
                    looker.file(&path);
                }
            }
            Err(error) if repositories::has_index(&folder) => looker.own.troubles.push(Trouble {
                path: scanner.mask(folder.as_os_str().as_bytes()),
                cause: format!("what git tracks there is not known: {error}"),
            }),
            Err(_) => {}
        }
    }
    for store in std::mem::take(&mut *open(&all.stores)) {
        for path in repositories::configuration(&store) {
            looker.file(&path);
        }
        looker.own.stores.push(scanner.mask(shown(&store)));
    }
    drop(looker);
    let mut report = all.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.sort();
    report
}

/// Goes through what git sees, or through all there is; none without a path.
fn walker(tree: &Tree) -> Option<WalkBuilder> {
    // A link that is named is meant: with a slash after it, it is the folder.
    let mut starts =
        tree.paths.iter().map(|path| if path.is_symlink() { path.join("") } else { path.clone() });
    let mut walker = WalkBuilder::new(starts.next()?);
    for start in starts {
        walker.add(start);
    }
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
    Some(walker)
}

/// What the threads come to.
#[derive(Default)]
struct All {
    report: Mutex<Report>,
    /// Files that were looked at, by the real paths of their folders.
    seen: Mutex<HashSet<PathBuf>>,
    /// Folders with a `.git`.
    repositories: Mutex<Vec<PathBuf>>,
    /// Bare repositories.
    stores: Mutex<Vec<PathBuf>>,
}

fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread's part.
struct Looker<'a> {
    scanner: &'a Scanner,
    examiner: Examiner<'a>,
    own: Report,
    all: &'a All,
    /// The real paths of folders.
    real: HashMap<PathBuf, PathBuf>,
}

impl<'a> Looker<'a> {
    fn new(scanner: &'a Scanner, all: &'a All) -> Self {
        Self { scanner, examiner: Examiner::new(scanner), own: Report::default(), all, real: HashMap::new() }
    }

    fn visit(&mut self, entry: &DirEntry) -> WalkState {
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        let path = entry.path();
        if kind.is_dir() && is_store(path) {
            open(&self.all.stores).push(path.to_owned());
            return WalkState::Skip;
        }
        if kind.is_dir() && path.join(".git").symlink_metadata().is_ok() {
            open(&self.all.repositories).push(path.to_owned());
        }
        if kind.is_file() {
            self.file(path);
        }
        WalkState::Continue
    }

    /// Looks at what is a file and was not looked at before.
    fn file(&mut self, path: &Path) {
        if !path.symlink_metadata().is_ok_and(|found| found.is_file()) || !self.is_new(path) {
            return;
        }
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
        let done = opened.and_then(|mut file| self.examiner.stream(&mut file as &mut dyn Read));
        match done {
            Ok((hits, bytes)) => {
                self.own.files += 1;
                self.own.bytes += bytes;
                self.own.enter(self.scanner, &mut self.examiner, shown(path), None, hits);
            }
            // It existed a moment ago; a file that is gone holds nothing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let path = self.scanner.mask(shown(path));
                self.own.troubles.push(Trouble { path, cause: error.to_string() });
            }
        }
    }

    fn is_new(&mut self, path: &Path) -> bool {
        let Some(name) = path.file_name() else { return true };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if !self.real.contains_key(folder) {
            let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
            self.real.insert(folder.to_owned(), real);
        }
        open(&self.all.seen).insert(self.real[folder].join(name))
    }

    fn trouble(&mut self, error: &ignore::Error) {
        // A folder that can't be read is reported by its path, which the error contains.
        let text = error.to_string();
        let (path, cause) = text.split_once(": ").unwrap_or(("", &text));
        let path = self.scanner.mask(path.as_bytes());
        self.own.troubles.push(Trouble { path, cause: cause.to_owned() });
    }
}

impl Drop for Looker<'_> {
    fn drop(&mut self) {
        open(&self.all.report).add(std::mem::take(&mut self.own));
    }
}

/// A path as it is shown.
fn shown(path: &Path) -> &[u8] {
    path.strip_prefix("./").unwrap_or(path).as_os_str().as_bytes()
}
