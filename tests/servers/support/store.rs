//! A password store of `pass`, with a throw-away key.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A store and its key; both and the key's agent are gone when this is dropped.
pub(crate) struct Store {
    folder: TempDir,
}

impl Store {
    /// An empty store whose key has no passphrase.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-pass-").tempdir().expect("a folder in /tmp");
        let store = Self { folder };
        fs::create_dir(store.gpg()).expect("a folder in it");
        fs::set_permissions(store.gpg(), fs::Permissions::from_mode(0o700)).expect("its mode");
        store.run(
            "gpg",
            &[
                "--batch",
                "--passphrase",
                "",
                "--quick-gen-key",
                "tests",
                "future-default",
                "default",
                "never",
            ],
        );
        store.run("pass", &["init", "tests"]);
        store
    }

    /// `GNUPGHOME`.
    pub(crate) fn gpg(&self) -> PathBuf {
        self.folder.path().join("gpg")
    }

    /// `PASSWORD_STORE_DIR`.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Runs a program over it and gives what it prints.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(program)
            .args(arguments)
            .env("GNUPGHOME", self.gpg())
            .env("PASSWORD_STORE_DIR", self.path())
            .output()
            .unwrap_or_else(|error| panic!("{program} is installed: {error}"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
        output.stdout
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.gpg()).output().ok();
    }
}
