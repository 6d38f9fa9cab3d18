//! Where Doppio keeps its files: the XDG directories, or all under `DOPPIO_HOME`.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;

use doppio_secrets::Environment;

/// The three directories. None of them is made before something is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    config: PathBuf,
    data: PathBuf,
    state: PathBuf,
}

impl Dirs {
    /// `DOPPIO_HOME` for all three if it is set; else `doppio` in the directories of the XDG Base
    /// Directory Specification, where a relative path counts as unset.
    pub fn new(env: &Environment, home: &Path) -> Self {
        if let Some(all) = env.folder("DOPPIO_HOME") {
            return Self { config: all.clone(), data: all.clone(), state: all };
        }
        let below = |variable: &str, fallback: &str| {
            let base = env.folder(variable).filter(|path| path.is_absolute());
            base.unwrap_or_else(|| home.join(fallback)).join("doppio")
        };
        Self {
            config: below("XDG_CONFIG_HOME", ".config"),
            data: below("XDG_DATA_HOME", ".local/share"),
            state: below("XDG_STATE_HOME", ".local/state"),
        }
    }

    /// The user's settings.
    pub fn config_toml(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The user's hosts.
    pub fn hosts_toml(&self) -> PathBuf {
        self.config.join("hosts.toml")
    }

    /// The age vault.
    pub fn vault(&self) -> PathBuf {
        self.data.join("vault.age")
    }

    /// One folder a run.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// What Doppio learns and remembers, as host keys.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Makes a directory and its parents, each new one with mode 0700. One that is there stays as
    /// it is.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn create(directory: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn xdg_directories_or_one_home_for_all() {
        let home = Path::new("/home/ada");
        let dirs = Dirs::new(&env(&[("XDG_DATA_HOME", "/data"), ("XDG_STATE_HOME", "relative")]), home);
        assert_eq!(dirs.config_toml(), Path::new("/home/ada/.config/doppio/config.toml"));
        assert_eq!(dirs.vault(), Path::new("/data/doppio/vault.age"));
        assert_eq!(dirs.runs(), Path::new("/home/ada/.local/state/doppio/runs"));

        let dirs = Dirs::new(&env(&[("DOPPIO_HOME", "/d"), ("XDG_DATA_HOME", "/data")]), home);
        assert_eq!(dirs.hosts_toml(), Path::new("/d/hosts.toml"));
        assert_eq!(dirs.vault(), Path::new("/d/vault.age"));
        assert_eq!(dirs.state(), Path::new("/d"));
    }

    #[test]
    fn new_directories_are_private() {
        let temp = tempfile::tempdir().unwrap();
        let inner = temp.path().join("a/b");
        Dirs::create(&inner).unwrap();
        Dirs::create(&inner).unwrap();
        for made in [&inner, &temp.path().join("a")] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
