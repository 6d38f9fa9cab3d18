//! A git repository of a test's own.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A repository in the working folder of a world.
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Makes one in this folder.
    pub fn init(folder: &Path) -> Self {
        let repository = Self { folder: folder.to_owned() };
        repository.git(["init", "-q", "-b", "main"]);
        repository
    }

    /// One that already exists.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs git, which must succeed, and gives back what it printed.
    #[track_caller]
    pub fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let out = self.command(&arguments).output().expect("git starts");
        assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// Git, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", self.folder.parent().expect("a folder in a world"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.org");
        }
        command
    }

    /// Writes a file.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a path in a folder")).expect("its folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// Commits all there is, and gives back the commit's id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--no-verify", "-m", message]);
        self.git(["rev-parse", "HEAD"])
    }
}
