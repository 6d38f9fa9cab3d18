//! The real binary in a world of its own: a fresh home, a cleared environment, no bus, no agent.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

/// A user's machine: `home/` is the home, `home/doppio/` is `DOPPIO_HOME`, `project/` is where
/// commands are given. Removed when dropped.
pub struct Doppio {
    folder: TempDir,
    env: Vec<(OsString, OsString)>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; 128 and more for a signal.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Default for Doppio {
    fn default() -> Self {
        Self::new()
    }
}

impl Doppio {
    /// A machine with nothing on it.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-it-").tempdir().expect("a folder in /tmp");
        for name in ["home/doppio", "project"] {
            fs::create_dir_all(folder.path().join(name)).expect("folders in it");
        }
        Self { folder, env: Vec::new() }
    }

    /// A machine without a keychain, whose vault is locked with a passphrase, derived at a low cost.
    pub fn with_vault() -> Self {
        let doppio = Self::new();
        fs::write(doppio.doppio_home().join("config.toml"), "[vault]\nwork_factor = 10\n").expect("settings");
        let passphrase = doppio.private("home/passphrase", "a passphrase of the tests");
        doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase)
    }

    /// Stores a secret.
    #[track_caller]
    pub fn store(&self, name: &str, value: impl AsRef<[u8]>) {
        self.run_with_stdin(["secret", "set", name, "--from-stdin"], value).expect(0);
    }

    /// A secret's value, as `secret get --reveal` prints it.
    #[track_caller]
    pub fn reveal(&self, reference: &str) -> String {
        self.run(["secret", "get", reference, "--reveal", "--force"]).expect(0).stdout
    }

    /// Runs it at a real terminal, by `expect`: waits for each text and types the answer. The exit
    /// code, and all that the terminal showed.
    pub fn at_terminal(&self, arguments: &[&str], typed: &[(&str, &str)]) -> (i32, String) {
        let arguments = arguments.iter().map(|argument| format!("{{{argument}}}")).collect::<Vec<_>>();
        let typed: Vec<_> =
            typed.iter().map(|(question, answer)| (*question, format!("{answer}\\r"))).collect();
        self.spawned(&format!("{} {}", binary().display(), arguments.join(" ")), &typed)
    }

    /// The same with any command, and with keys, as Tcl has them.
    pub fn spawned(&self, command: &str, typed: &[(&str, String)]) -> (i32, String) {
        let mut script = format!("set timeout 60\nspawn -noecho {command}\n");
        for (question, answer) in typed {
            let send =
                format!("expect {{\n\"{question}\" {{ send -- \"{answer}\" }}\ntimeout {{ exit 98 }}\n}}\n");
            script.push_str(&send);
        }
        script += "expect eof\nexit [lindex [wait] 3]\n";
        let command = self.command([""; 0]);
        let output = Command::new("expect")
            .args(["-c", &script])
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(self.folder.path().join("project"))
            .output()
            .expect("expect is installed");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Sets a variable of the process environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The whole world: home and working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// `DOPPIO_HOME`.
    pub fn doppio_home(&self) -> PathBuf {
        self.home().join("doppio")
    }

    /// Writes a file, its path taken from the working folder.
    pub fn file(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("project").join(path);
        fs::create_dir_all(path.parent().expect("a path in a folder")).expect("its folder");
        fs::write(&path, text).expect("a file in it");
        path
    }

    /// Writes a recipe `test` of these steps, `recipe.toml`.
    pub fn recipe(&self, steps: &str) {
        self.file("recipe.toml", format!("[recipe]\nname = \"test\"\n{steps}"));
    }

    /// Writes a file that only its owner may read, its path taken from the whole world.
    pub fn private(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a path in a folder")).expect("its folder");
        fs::write(&path, text).expect("a file in it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    /// Writes `hosts.toml`.
    pub fn hosts(&self, text: &str) {
        fs::write(self.doppio_home().join("hosts.toml"), text).expect("hosts.toml");
    }

    /// The command, ready to be changed and started.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", self.home())
            .env("DOPPIO_HOME", self.doppio_home())
            .env("LANG", "C.UTF-8")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path().join("project"))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        Ran::of(&self.command(arguments).output().expect("the binary starts"))
    }

    /// The same with something on its stdin.
    pub fn run_with_stdin<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: impl AsRef<[u8]>,
    ) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that does not read its stdin is free to close it.
        child.stdin.take().expect("piped").write_all(stdin.as_ref()).ok();
        Ran::of(&child.wait_with_output().expect("the binary ends"))
    }

    /// Starts it with its output piped.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// Everything it printed, with what differs from run to run replaced: the world's path.
    pub fn settled(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "WORLD")
    }
}

/// The binary that Cargo built for the test that is running, beside the folder that the test is in.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the test is a program");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    folder.join("doppio")
}

impl Ran {
    /// What this output was.
    #[must_use]
    pub fn of(output: &std::process::Output) -> Self {
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        Self {
            code: code.expect("an exit code or a signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test, showing all it printed, unless it ended with this code.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "most tests call it for the assertion")]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}
