//! The vault's bytes on disk: whole or not at all, for one user, one generation back.
//!
//! A write goes to a new file beside the vault, which is synced and then renamed over it, so that
//! at every moment either the old or the new vault has the name. The old one stays as
//! `NAME.previous`. Readers need no lock; writers hold one on `NAME.lock`.

use std::ffi::OsString;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::OFlags;

use doppio_text::shell::typed;

use crate::file_lock;
use crate::source::SourceError;

/// How long a writer waits for another writer.
const LOCK_DEADLINE: Duration = Duration::from_secs(10);

/// No vault is bigger; what is, is not a vault.
const LARGEST: u64 = 64 << 20;

/// The file beside the vault with this ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(ending);
    path.with_file_name(name)
}

/// The vault's bytes, or none where there is no vault.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return never_there(path).map(|()| None),
        Err(error) => return Err(cannot("open", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| cannot("look at", path, &error))?;
    refuse_open(path, &metadata)?;
    if metadata.len() > LARGEST {
        return Err(not_ours(path, "is too big to be an age vault"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| cannot("read", path, &error))?;
    Ok(Some(bytes))
}

/// Fails where a vault has been: no write leaves an older generation alone, so the vault was taken
/// away, and a new one in its place would destroy what is in the older one.
fn never_there(path: &Path) -> Result<(), SourceError> {
    let older = beside(path, ".previous");
    if !older.exists() {
        return Ok(());
    }
    let (shown, older) = (path.display(), older.display());
    Err(SourceError::unreachable(
        format!("the age vault `{shown}` is gone, and its older generation `{older}` still exists"),
        format!("put that in its place, `cp -p {older} {shown}`, or move it away to start a new age vault"),
    ))
}

/// The vault and its older generation, as a shell takes them.
pub(super) fn generations(path: &Path) -> (String, String) {
    let quoted = |path: &Path| doppio_text::shell::quote_path(&path.display().to_string());
    (quoted(path), quoted(&beside(path, ".previous")))
}

/// Opens for reading without following a link, and without waiting on a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn refuse_open(path: &Path, metadata: &fs::Metadata) -> Result<(), SourceError> {
    let shown = path.display();
    if !metadata.is_file() {
        return Err(not_ours(path, "is not a regular file"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(not_ours(path, "belongs to another user"));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SourceError::not_allowed(
            format!("others can open the age vault `{shown}` (mode {mode:03o}, expected 600)"),
            format!("run {}", typed(["chmod", "600", &shown.to_string()])),
        ));
    }
    Ok(())
}

fn not_ours(path: &Path, what: &str) -> SourceError {
    let shown = path.display();
    SourceError::not_allowed(
        format!("the age vault `{shown}` {what}"),
        format!(
            "look at it with {}, and move it away if it is not yours",
            typed(["ls", "-l", &shown.to_string()])
        ),
    )
}

fn cannot(action: &str, path: &Path, error: &io::Error) -> SourceError {
    let shown = path.display();
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return not_ours(path, "is a symbolic link");
    }
    let folder = path.parent().unwrap_or(path).display().to_string();
    let hint = format!("look at it with {}", typed(["ls", "-ld", &shown.to_string(), &folder]));
    let cause = format!("cannot {action} the age vault `{shown}`: {error}");
    if error.kind() == ErrorKind::PermissionDenied {
        SourceError::not_allowed(cause, hint)
    } else {
        SourceError::unreachable(cause, hint)
    }
}

/// The right to write; released when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits for other writers, for a time. Makes the vault's directory if it does not exist.
    pub(super) fn take(path: &Path) -> Result<Self, SourceError> {
        let folder = path.parent().unwrap_or(path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| cannot("make the folder of", path, &error))?;
        let metadata = fs::metadata(folder).map_err(|error| cannot("look at the folder of", path, &error))?;
        if metadata.mode() & 0o022 != 0 {
            let shown = folder.display();
            return Err(SourceError::not_allowed(
                format!("others can write to the age vault's folder `{shown}`"),
                format!("run {}", typed(["chmod", "700", &shown.to_string()])),
            ));
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(beside(path, ".lock"))
            .map_err(|error| cannot("lock", path, &error))?;
        if file_lock::lock(&file, LOCK_DEADLINE).map_err(|error| cannot("lock", path, &error))? {
            return Ok(Self { path: path.to_owned(), _file: file });
        }
        Err(SourceError::unreachable(
            format!("another process has held the age vault `{}` for 10 s", path.display()),
            "wait for the other `doppio` to end, then try again",
        ))
    }

    /// Puts `bytes` in the vault's place and keeps what was there as the previous generation.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), SourceError> {
        self.try_replace(bytes).map_err(|error| cannot("write", &self.path, &error))
    }

    fn try_replace(&self, bytes: &[u8]) -> io::Result<()> {
        let (new, old) = (beside(&self.path, ".new"), beside(&self.path, ".previous"));
        remove(&new)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        remove(&old)?;
        match fs::hard_link(&self.path, &old) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&new, &self.path)?;
        File::open(self.path.parent().unwrap_or(&self.path))?.sync_all()
    }
}

/// Removes a file of an earlier write, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_write_replaces_all_and_keeps_one_generation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/vault.age");
        assert_eq!(read(&path).unwrap(), None);
        for bytes in [b"one", b"two", b"six"] {
            Lock::take(&path).unwrap().replace(bytes).unwrap();
        }
        assert_eq!(read(&path).unwrap().unwrap(), b"six");
        assert_eq!(read(&beside(&path, ".previous")).unwrap().unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn links_open_modes_and_other_things_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("vault.age"), folder.path().join("link.age"));
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let fault = read(&path).unwrap_err();
        assert!(fault.to_string().contains("mode 640, expected 600"), "{fault}");
        assert!(fault.hint().unwrap().starts_with("run `chmod 600 "));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        let fault = read(&link).unwrap_err();
        assert!(fault.to_string().contains("is a symbolic link"), "{fault}");
        let fault = read(folder.path()).unwrap_err();
        assert!(fault.to_string().contains("is not a regular file"), "{fault}");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Lock::take(&path), Err(SourceError::NotAllowed { .. })));
    }

    #[test]
    fn what_a_killed_writer_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.age");
        fs::write(beside(&path, ".new"), "half").unwrap();
        fs::write(beside(&path, ".previous"), "older").unwrap();
        Lock::take(&path).unwrap().replace(b"whole").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"whole");
    }
}
