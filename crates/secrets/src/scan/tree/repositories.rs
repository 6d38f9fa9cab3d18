//! What of a repository counts among the files of its folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

use doppio_process::GitError;
use doppio_process::Repository;
use doppio_process::is_store;

/// The files of the configuration of the repository of this folder, and of this working tree;
/// some may not be there.
pub(super) fn configuration(folder: &Path) -> Vec<PathBuf> {
    let inside = folder.join(".git");
    let git = match first_line(&inside) {
        _ if is_store(folder) => folder.to_owned(),
        // Another working tree, or a submodule.
        Some(line) => match line.strip_prefix(b"gitdir: ") {
            Some(path) => folder.join(OsStr::from_bytes(path)),
            None => return Vec::new(),
        },
        None => inside,
    };
    let shared = first_line(&git.join("commondir")).map(|path| git.join(OsStr::from_bytes(&path)));
    let shared = shared.map_or_else(|| git.clone(), |path| path.canonicalize().unwrap_or(path));
    vec![shared.join("config"), git.join("config.worktree")]
}

/// The first line of a file of git; none where it is not a file.
fn first_line(path: &Path) -> Option<Vec<u8>> {
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let text = fs::read(path).ok()?;
    text.split(|&byte| byte == b'\n').next().map(<[u8]>::to_vec)
}

/// Files that git has in its index, be it told to ignore them or not.
///
/// # Errors
///
/// When git can't be asked.
pub(super) fn tracked(folder: &Path, repository: &Repository) -> Result<Vec<PathBuf>, GitError> {
    let listed = repository.read(&["ls-files", "-z", "--cached"])?;
    let names = listed.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| folder.join(OsStr::from_bytes(name))).collect())
}

/// Whether git tracks anything in this folder, as far as that is known without asking it.
pub(super) fn has_index(folder: &Path) -> bool {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let git = real.ancestors().map(|folder| folder.join(".git")).find(|git| git.symlink_metadata().is_ok());
    git.is_some_and(|git| git.is_file() || git.join("index").symlink_metadata().is_ok())
}
