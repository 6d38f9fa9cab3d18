//! Files that decide what runs and who is trusted: nobody but the user and root may have a hand in them.

use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use crate::file::is_handed;
use crate::file::open;
use crate::shell::typed;

/// Somebody else can write a file, or a folder on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotOwn {
    message: String,
    hint: String,
}

impl NotOwn {
    /// What to do, with the command to type.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// Why a file of the user's can't be read.
#[derive(Debug, thiserror::Error)]
pub enum OwnFileError {
    /// The system said so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody else can write it.
    #[error(transparent)]
    NotOwn(#[from] NotOwn),
}

/// Opens a file that is to be read to its end, if only the user and root can write it and what is on the
/// way to it, up to the user's home or the root: OpenSSH's rule for `authorized_keys` (`StrictModes`),
/// with sticky folders as `/tmp` allowed, where nobody can replace what isn't theirs.
///
/// What the process was handed under a descriptor is taken as it is.
///
/// # Errors
///
/// When it can't be opened, is not a regular file, or is not the user's own.
pub fn open_own(path: &Path, home: &Path) -> Result<File, OwnFileError> {
    let file = match open(path) {
        // Whoever can write the folder could have put one there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match path.parent() {
                Some(folder) if folder.is_dir() => check_folders(folder, home)?,
                _ => {}
            }
            return Err(error.into());
        }
        opened => opened?,
    };
    if !is_handed(path) {
        check(path, &file.metadata()?, "file")?;
        check_way(path, home)?;
    }
    Ok(file)
}

/// The same without opening it.
///
/// # Errors
///
/// When there is no such file, or it is not the user's own.
pub fn check_own(path: &Path, home: &Path) -> Result<(), OwnFileError> {
    if is_handed(path) {
        return Ok(());
    }
    check(path, &path.metadata()?, "file")?;
    check_way(path, home)
}

/// So many links may lead to one another, as the system has it.
const MOST_LINKS: usize = 40;

/// A link is as safe as the folder that it stands in, each that it leads through, and the last.
fn check_way(path: &Path, home: &Path) -> Result<(), OwnFileError> {
    let mut at = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        let Some(folder) = at.parent().map(Path::to_owned) else { break };
        check_folders(&folder, home)?;
        match std::fs::read_link(&at) {
            Ok(next) => at = folder.join(next),
            Err(_) => break,
        }
    }
    match path.canonicalize()?.parent() {
        Some(folder) => check_folders(folder, home),
        None => Ok(()),
    }
}

/// Whether only the user and root can write a folder and those that it is in, up to the user's home or
/// the root.
fn check_folders(start: &Path, home: &Path) -> Result<(), OwnFileError> {
    // As it is called and as it is: it may be behind a link.
    let homes: [Option<PathBuf>; 2] = [home.canonicalize().ok(), std::path::absolute(home).ok()];
    for folder in std::path::absolute(start)?.ancestors() {
        let found = folder.metadata()?;
        check(folder, &found, "folder")?;
        if homes.iter().flatten().any(|home| home.as_path() == folder) {
            break;
        }
    }
    Ok(())
}

fn check(path: &Path, found: &Metadata, kind: &str) -> Result<(), NotOwn> {
    const STICKY: u32 = 0o1000;
    let shown = path.display().to_string();
    let me = rustix::process::geteuid().as_raw();
    let mode = found.mode();
    if found.uid() != 0 && found.uid() != me {
        let owner = me.to_string();
        let chown = ["chown", &owner, &shown];
        return Err(NotOwn {
            message: format!(
                "the {kind} `{shown}` belongs to another user (uid {}, expected {})",
                found.uid(),
                if me == 0 { "0".to_owned() } else { format!("{me} or 0") }
            ),
            hint: if me == 0 {
                "run Doppio as that user, or use a copy of the file that belongs to root".to_owned()
            } else {
                format!("look at what is in it, then run {}", typed(["sudo"].into_iter().chain(chown)))
            },
        });
    }
    // A group of the user's own, as Debian and Ubuntu make one for each (`usergroups` of pam_umask), and as
    // their OpenSSH allows it.
    let is_private_group =
        me != 0 && found.uid() == me && found.gid() == me && rustix::process::getegid().as_raw() == me;
    let others = if is_private_group { 0o002 } else { 0o022 };
    if mode & others != 0 && !(kind == "folder" && mode & STICKY != 0) {
        return Err(NotOwn {
            message: format!("others can write the {kind} `{shown}` (mode {:04o})", mode & 0o7777),
            hint: format!("look at what is in it, then run {}", typed(["chmod", "go-w", &shown])),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn told(path: &Path, home: &Path) -> Option<(String, String)> {
        match open_own(path, home) {
            Ok(_) => None,
            Err(OwnFileError::NotOwn(error)) => Some((error.to_string(), error.hint().to_owned())),
            Err(OwnFileError::Io(error)) => panic!("{error}"),
        }
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    // case L8
    #[test]
    fn what_others_can_write_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let (folder, file) = (home.join("a/b"), home.join("a/b/my config.toml"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, "x").unwrap();
        for path in [&home.join("a"), &folder] {
            mode(path, 0o755);
        }
        mode(&file, 0o644);
        assert_eq!(told(&file, &home), None);
        assert!(check_own(&file, &home).is_ok());
        for bits in [0o666, 0o664, 0o646] {
            mode(&file, bits);
            let shown = file.display();
            assert_eq!(
                told(&file, &home),
                Some((
                    format!("others can write the file `{shown}` (mode {bits:04o})"),
                    format!("look at what is in it, then run `chmod go-w '{shown}'`")
                ))
            );
        }
        mode(&file, 0o600);
        for path in [&home.join("a"), &folder, &home] {
            mode(path, 0o777);
            let (why, hint) = told(&file, &home).expect("the folder is open");
            assert_eq!(why, format!("others can write the folder `{}` (mode 0777)", path.display()));
            assert_eq!(hint, format!("look at what is in it, then run `chmod go-w {}`", path.display()));
            // Nobody can replace what isn't theirs.
            mode(path, 0o1777);
            assert_eq!(told(&file, &home), None);
            mode(path, 0o755);
        }
        // A file that isn't there could be put there.
        mode(&folder, 0o777);
        assert!(told(&folder.join("none"), &home).expect("the folder is open").0.contains("a/b`"));
        mode(&folder, 0o755);
        // Beyond the home nobody looks.
        mode(&home.join("a"), 0o777);
        assert_eq!(told(&file, &folder), None);
    }

    // case L8
    #[test]
    fn a_link_is_as_safe_as_both_of_its_ends() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        for name in ["near", "far"] {
            fs::create_dir(home.join(name)).unwrap();
            mode(&home.join(name), 0o755);
        }
        fs::write(home.join("far/config.toml"), "x").unwrap();
        mode(&home.join("far/config.toml"), 0o600);
        let link = home.join("near/config.toml");
        symlink(home.join("far/config.toml"), &link).unwrap();
        assert_eq!(told(&link, &home), None);
        for name in ["near", "far"] {
            mode(&home.join(name), 0o777);
            assert!(told(&link, &home).expect("one end is open").0.contains(name));
            mode(&home.join(name), 0o755);
        }
    }
}
