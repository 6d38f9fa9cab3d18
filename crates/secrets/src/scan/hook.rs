//! The hook that refuses a commit with a secret in it.

use std::fs::DirBuilder;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use doppio_process::GitError;
use doppio_process::Repository;

/// The line that does it.
const LINE: &str = "doppio secret scan --staged || exit 1";

/// The whole hook.
const SCRIPT: &str = "#!/bin/sh\n\
    # Refuses a commit that holds a secret: `doppio secret scan --install-hook` wrote this.\n\
    # To commit all the same: `git commit --no-verify`.\n\
    command -v doppio >/dev/null 2>&1 || {\n\
    \x20 echo 'doppio is not on the PATH, so nobody looks for secrets in this commit' >&2\n\
    \x20 exit 1\n\
    }\n\
    doppio secret scan --staged || exit 1\n";

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// It is there now.
    Written(PathBuf),
    /// It was there before.
    Present(PathBuf),
    /// Another hook is there, and has the line; whether it comes to it was not looked at.
    Named(PathBuf),
    /// One with the line is there and can't be run, so that git passes over it.
    Closed(PathBuf),
    /// `core.hooksPath` names what is not a folder, in the configuration of this scope.
    Off(PathBuf, String),
    /// Another hook is there, which stays as it is; this line belongs into it.
    Occupied(PathBuf, &'static str),
}

/// Writes the hook, where git looks for it: in the folder of `core.hooksPath`, or in that of the
/// repository, which its working trees share. Nothing that is there is ever changed.
///
/// # Errors
///
/// When git can't be asked, or the file can't be written.
pub fn install(repository: &Repository) -> Result<Hook, GitError> {
    let folder = repository.hooks()?;
    if folder.metadata().is_ok_and(|found| !found.is_dir())
        && let Some(scope) = repository.scope_of_hooks()
    {
        return Ok(Hook::Off(folder, scope));
    }
    let path = folder.join("pre-commit");
    match write(&folder, &path) {
        Ok(()) => Ok(Hook::Written(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(found(path)),
        Err(error) => {
            Err(GitError::Failed { command: format!("hook `{}`", path.display()), cause: error.to_string() })
        }
    }
}

/// What a hook that already exists does.
fn found(path: PathBuf) -> Hook {
    let text = std::fs::read(&path).unwrap_or_default();
    let has_line = String::from_utf8_lossy(&text)
        .lines()
        .any(|line| !line.trim_start().starts_with('#') && line.contains("doppio secret scan --staged"));
    let can_be_run = std::fs::metadata(&path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
    if !has_line {
        Hook::Occupied(path, LINE)
    } else if !can_be_run {
        Hook::Closed(path)
    } else if text == SCRIPT.as_bytes() {
        Hook::Present(path)
    } else {
        Hook::Named(path)
    }
}

fn write(folder: &std::path::Path, path: &std::path::Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
    file.write_all(SCRIPT.as_bytes())?;
    // Whatever the umask was.
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    file.sync_all()
}
