//! The files of a project: beside the recipe, or in a folder above it up to the root of its repository.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// The project's settings.
pub(super) const SETTINGS: &str = "doppio.toml";

/// Where a file of the project is that the folder of a recipe belongs to: in that folder, else in the
/// nearest one above that has it, not beyond the root of the git repository. Outside of a repository nothing
/// above the folder belongs to it. Where there is none, the one in the folder itself.
pub fn project_file(folder: &Path, name: &str) -> PathBuf {
    let beside = folder.join(name);
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let is_root = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
    let Some(root) = whole.ancestors().find(is_root) else { return beside };
    // What others have put above the folder, as into /tmp, is none of the user's.
    if beside.symlink_metadata().is_ok() || !is_own(root) || !is_own(&root.join(".git")) {
        return beside;
    }
    let mut above = whole.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let found = above.find(|folder| is_own(folder) && is_own(&folder.join(name)));
    found.map_or(beside, |folder| folder.join(name))
}

/// Refuses a link that leads out of its folder: what it names would be read, and drawn where it has faults.
pub(super) fn own_file(path: &Path) -> io::Result<()> {
    if !path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path).canonicalize()?;
    if path.canonicalize()?.starts_with(folder) {
        return Ok(());
    }
    Err(io::Error::other("it is a link that leads out of its folder"))
}

/// Whether something is there that belongs to who runs this.
fn is_own(path: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|found| found.uid() == user)
}

/// The folder of the project's settings.
pub fn project_folder(folder: &Path) -> PathBuf {
    let file = project_file(folder, SETTINGS);
    file.parent().map_or_else(|| folder.to_owned(), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_looked_for_up_to_the_root_of_the_repository() {
        let world = tempfile::tempdir().unwrap();
        let world = world.path().canonicalize().unwrap();
        let recipes = world.join("repository/a/recipes");
        fs::create_dir_all(&recipes).unwrap();
        fs::write(world.join("doppio.toml"), "").unwrap();
        let found = || project_file(&recipes, "doppio.toml");
        assert_eq!(found(), recipes.join("doppio.toml"));
        fs::create_dir(world.join("repository/.git")).unwrap();
        assert_eq!(found(), recipes.join("doppio.toml"));
        for folder in ["repository", "repository/a", "repository/a/recipes"] {
            fs::write(world.join(folder).join("doppio.toml"), "").unwrap();
            assert_eq!(found(), world.join(folder).join("doppio.toml"));
        }
    }
}
