//! A private session bus with GNOME Keyring's Secret Service on it, or with nothing.

use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

use doppio_test_support::wait_for;

/// Starts nothing by itself, so that only what a test started can answer.
const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=RUN</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"#;

/// A session bus of the test's own; its processes end with it.
pub(crate) struct Bus {
    folder: TempDir,
    address: String,
    daemon: Child,
    keyring: Option<Child>,
}

impl Bus {
    /// A bus that nobody answers on.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-bus-").tempdir().expect("a folder in /tmp");
        for name in ["run", "data", "cache", "home"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("folders in it");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("their modes");
        }
        let config = folder.path().join("bus.conf");
        fs::write(&config, CONFIG.replace("RUN", folder.path().join("run").to_str().expect("UTF-8")))
            .expect("bus.conf");
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address"])
            .arg(format!("--config-file={}", config.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        let stdout = bus.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut address).expect("the bus says its address");
        Self { folder, address: address.trim().to_owned(), daemon: bus, keyring: None }
    }

    /// A bus with a Secret Service whose login collection is unlocked.
    pub(crate) fn with_keyring() -> Self {
        let mut bus = Self::empty();
        bus.start_keyring("the passphrase of the tests");
        bus
    }

    /// Ends the Secret Service and starts it again with a wrong passphrase: its collection is
    /// there and stays locked.
    pub(crate) fn lock(&mut self) {
        self.stop_keyring();
        self.start_keyring("not the passphrase");
    }

    fn start_keyring(&mut self, passphrase: &str) {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is installed");
        keyring
            .stdin
            .take()
            .expect("piped")
            .write_all(passphrase.as_bytes())
            .expect("it reads its passphrase");
        self.keyring = Some(keyring);
        self.wait_for_owner(true);
    }

    fn stop_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().ok();
            keyring.wait().ok();
            self.wait_for_owner(false);
        }
    }

    fn wait_for_owner(&self, there: bool) {
        wait_for("the Secret Service to start or end", || {
            let output = self
                .command("dbus-send")
                .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"])
                .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
                .output()
                .expect("dbus-send is installed");
            String::from_utf8_lossy(&output.stdout).contains(&format!("boolean {there}"))
        });
    }

    /// The bus's address, for `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A program on this bus.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let below = |name: &str| -> std::path::PathBuf { Path::new(self.folder.path()).join(name) };
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", below("home"))
            .env("XDG_RUNTIME_DIR", below("run"))
            .env("XDG_DATA_HOME", below("data"))
            .env("XDG_CACHE_HOME", below("cache"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("LANG", "C.UTF-8");
        command
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().ok();
            keyring.wait().ok();
        }
        self.daemon.kill().ok();
        self.daemon.wait().ok();
    }
}
