//! Files that decide what runs and who is trusted: nobody but the user and root may have a hand in them.

use std::ffi::OsString;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::file::is_handed;
use crate::file::open;
use crate::private_group;
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
                Some(folder) if folder.is_dir() => check_way(path, home)?,
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

/// Judges the folder that a path ends in, and each that a link on the way to it stands in: whoever can write
/// that can lead the path elsewhere.
fn check_way(path: &Path, home: &Path) -> Result<(), OwnFileError> {
    let path = std::path::absolute(path)?;
    let real_home = home.canonicalize().ok();
    // Where the home is, behind links or not, was for the system to say.
    let below = std::path::absolute(home).ok().and_then(|home| path.strip_prefix(home).ok());
    let (mut at, rest) = match (&real_home, below) {
        (Some(home), Some(rest)) => (home.clone(), rest),
        _ => (PathBuf::from("/"), path.as_path()),
    };
    let mut ahead = Vec::new();
    push(&mut ahead, rest);
    let mut links = 0;
    while let Some(next) = ahead.pop() {
        match Path::new(&next).components().next() {
            Some(Component::Normal(name)) => {
                let step = at.join(name);
                match std::fs::read_link(&step) {
                    Ok(target) => {
                        links += 1;
                        if links > MOST_LINKS {
                            return Err(io::Error::from(rustix::io::Errno::LOOP).into());
                        }
                        check_folders(&at, real_home.as_deref())?;
                        push(&mut ahead, &target);
                    }
                    Err(_) => at = step,
                }
            }
            Some(Component::ParentDir) => {
                at.pop();
            }
            Some(Component::RootDir) => at = PathBuf::from("/"),
            _ => {}
        }
    }
    match at.parent() {
        Some(folder) => check_folders(folder, real_home.as_deref()),
        None => Ok(()),
    }
}

/// Puts the parts of a path before those that are still ahead; the next one is the last.
fn push(ahead: &mut Vec<OsString>, path: &Path) {
    ahead.extend(path.components().rev().map(|part| part.as_os_str().to_owned()));
}

/// Whether only the user and root can write a folder and those that it is in, up to the user's home or
/// the root. No link is in the paths.
fn check_folders(start: &Path, home: Option<&Path>) -> Result<(), OwnFileError> {
    for folder in start.ancestors() {
        check(folder, &folder.metadata()?, "folder")?;
        if home == Some(folder) {
            break;
        }
    }
    Ok(())
}

fn check(path: &Path, found: &Metadata, kind: &str) -> Result<(), NotOwn> {
    let owned = Owned { owner: found.uid(), group: found.gid(), mode: found.mode() };
    let me = rustix::process::geteuid().as_raw();
    judge(path, owned, kind, me, || private_group::is_private(me, owned.group))
}

/// Whose a file is, and who can write it.
#[derive(Debug, Clone, Copy)]
struct Owned {
    owner: u32,
    group: u32,
    mode: u32,
}

fn judge(
    path: &Path,
    found: Owned,
    kind: &str,
    me: u32,
    is_private_group: impl FnOnce() -> bool,
) -> Result<(), NotOwn> {
    const STICKY: u32 = 0o1000;
    let shown = path.display().to_string();
    let mode = found.mode;
    if found.owner != 0 && found.owner != me {
        let owner = me.to_string();
        let chown = ["chown", &owner, &shown];
        return Err(NotOwn {
            message: format!(
                "the {kind} `{shown}` belongs to another user (uid {}, expected {})",
                found.owner,
                if me == 0 { "0".to_owned() } else { format!("{me} or 0") }
            ),
            hint: if me == 0 {
                "run Doppio as that user, or use a copy of the file that belongs to root".to_owned()
            } else {
                format!("look at what is in it, then run {}", typed(["sudo"].into_iter().chain(chown)))
            },
        });
    }
    if kind == "folder" && mode & STICKY != 0 {
        return Ok(());
    }
    // A group of the user's own, as Debian and Ubuntu make one for each (`usergroups` of pam_umask), and as
    // their OpenSSH allows it.
    let by_group = mode & 0o020 != 0 && !(me != 0 && found.owner == me && is_private_group());
    if by_group || mode & 0o002 != 0 {
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
        for bits in [0o666, 0o646] {
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

    // case L8
    #[test]
    fn each_folder_that_a_link_leads_through_is_judged() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        for name in ["near", "third", "far", "far/dir"] {
            fs::create_dir(home.join(name)).unwrap();
            mode(&home.join(name), 0o755);
        }
        let file = home.join("far/dir/config.toml");
        fs::write(&file, "x").unwrap();
        mode(&file, 0o600);
        // A link to a link to the file, and the same with the folder that it is in.
        symlink("../third/config.toml", home.join("near/config.toml")).unwrap();
        symlink(&file, home.join("third/config.toml")).unwrap();
        symlink("../third/dir", home.join("near/dir")).unwrap();
        symlink(home.join("far/dir"), home.join("third/dir")).unwrap();
        for path in [home.join("near/config.toml"), home.join("near/dir/config.toml")] {
            assert_eq!(told(&path, &home), None);
            for name in ["near", "third", "far"] {
                mode(&home.join(name), 0o777);
                let (why, _) = told(&path, &home).expect("a folder on the way is open");
                let folder = home.join(name);
                assert_eq!(why, format!("others can write the folder `{}` (mode 0777)", folder.display()));
                assert!(check_own(&path, &home).is_err());
                mode(&home.join(name), 0o755);
            }
        }
        // A file that isn't there could be put there in another folder, too.
        mode(&home.join("third"), 0o777);
        assert!(told(&home.join("near/dir/none"), &home).expect("a folder is open").0.contains("third"));
    }

    // case L8
    #[test]
    fn a_home_behind_a_link_is_the_users_own() {
        let machine = tempfile::tempdir().unwrap();
        let machine = machine.path().canonicalize().unwrap();
        let real = machine.join("data/user");
        fs::create_dir_all(&real).unwrap();
        mode(&real, 0o755);
        fs::write(real.join("config.toml"), "x").unwrap();
        mode(&real.join("config.toml"), 0o600);
        let home = machine.join("user");
        symlink(&real, &home).unwrap();
        // What is above the home, as it is called and as it is, is not for us to judge.
        mode(&machine.join("data"), 0o777);
        mode(&machine, 0o777);
        for (path, home) in [(&home, &home), (&real, &home), (&real, &real)] {
            assert_eq!(told(&path.join("config.toml"), home), None);
        }
        mode(&real, 0o777);
        assert!(told(&home.join("config.toml"), &home).expect("the home is open").0.contains("data/user"));
        mode(&real, 0o755);
        mode(&machine, 0o755);
    }

    // case L8
    #[test]
    fn a_private_group_may_write_what_is_the_users() {
        let judged = |owner, mode, me, is_private| {
            let found = Owned { owner, group: 1000, mode };
            judge(Path::new("x"), found, "file", me, || is_private).map_err(|error| error.to_string())
        };
        assert_eq!(judged(1000, 0o664, 1000, true), Ok(()));
        let open = |mode| Err(format!("others can write the file `x` (mode {mode})"));
        assert_eq!(judged(1000, 0o664, 1000, false), open("0664"));
        assert_eq!(judged(1000, 0o666, 1000, true), open("0666"));
        // The group is the user's, the file is not.
        assert_eq!(judged(0, 0o664, 1000, true), open("0664"));
        assert_eq!(judged(0, 0o664, 0, true), open("0664"));
        assert!(judged(1001, 0o600, 1000, true).unwrap_err().contains("belongs to another user"));
    }
}
