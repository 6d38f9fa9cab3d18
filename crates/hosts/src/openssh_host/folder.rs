//! The folder of a host's sockets, and the logs in it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::HostError;
use crate::private_folder::fresh_name;

/// Where folders for sockets are: a socket's path has 104 bytes at most, and a home may be long.
const PARENT: &str = "/tmp";

/// A folder that only its owner can enter, with sockets and what `ssh` reads and logs. It goes with
/// this.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self, HostError> {
        let path = Path::new(PARENT).join(fresh_name()?);
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            HostError::new("no folder for the socket of `ssh` could be made")
                .cause(format!("cannot make {}: {error}", path.display()))
        })?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Where one `ssh` logs; the file goes with this.
pub(super) struct Ticket {
    pub log: PathBuf,
    _folder: Arc<Folder>,
}

impl Ticket {
    /// One of this number, which nobody else has.
    pub(super) fn new(folder: Arc<Folder>, number: u32) -> Self {
        Self { log: folder.path().join(format!("{number}.log")), _folder: folder }
    }

    /// What it has logged so far.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        fs::remove_file(&self.log).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_private_and_short_and_goes() {
        let folder = Arc::new(Folder::new().unwrap());
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        // OpenSSH binds a name that is 17 bytes longer, and renames it.
        assert!(path.join("4294967295").as_os_str().len() + 17 < 104, "{}", path.display());
        let ticket = Ticket::new(Arc::clone(&folder), 7);
        fs::write(&ticket.log, "a line").unwrap();
        assert_eq!(ticket.said(), "a line");
        drop(folder);
        drop(ticket);
        assert!(!path.exists());
    }
}
