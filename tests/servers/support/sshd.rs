//! Real SSH servers, one per test, each in namespaces of its own. Dropping one ends every process
//! that was started through it, daemons included, and removes its folder.
use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use doppio_test_support::wait_until;

/// Which server; `tests/sshd/config.sh` says what each is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// OpenSSH as Debian ships it.
    Stock,
    /// Takes `DOPPIO_*` and the usual token names as environment.
    AcceptEnv,
    /// Two channels a connection.
    FewSessions,
    /// One unfinished login at a time.
    Throttled,
    /// No way in.
    NoLogin,
    /// Passwords only: [`PASSWORD`].
    Password,
    /// Another server: dropbear.
    Dropbear,
}

/// The password of whoever logs in.
pub(crate) const PASSWORD: &str = "correct-horse";

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::AcceptEnv => "accept-env",
            Self::FewSessions => "few-sessions",
            Self::Throttled => "throttled",
            Self::NoLogin => "no-login",
            Self::Password => "password",
            Self::Dropbear => "dropbear",
        }
    }
}

/// A server to be.
#[derive(Debug)]
pub(crate) struct Builder {
    variant: Variant,
    shell: String,
    lines: Vec<String>,
    under: Vec<String>,
    folder: TempDir,
    address: SocketAddr,
}

impl Builder {
    /// A program, with its arguments, that runs the server.
    pub(crate) fn under(mut self, prefix: Vec<String>) -> Self {
        self.under = prefix;
        self
    }

    /// The login shell, by its path.
    pub(crate) fn shell(mut self, path: &str) -> Self {
        path.clone_into(&mut self.shell);
        self
    }

    /// A line of `sshd_config`; it wins over the variant's own.
    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Where the server's files will lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server will listen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> Sshd {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sshd/start.sh");
        let line = self.under.iter().map(OsStr::new).chain([script.as_os_str()]).collect::<Vec<_>>();
        let mut child = Command::new(line[0])
            .args(&line[1..])
            .arg(self.folder.path())
            .args([&self.address.ip().to_string(), &self.address.port().to_string()])
            .args([self.variant.name(), &self.shell])
            .args(&self.lines)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let mut namespace = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut namespace).unwrap();
        let namespace = namespace.trim().parse().expect("start.sh says which process it started");
        let server = Sshd { child, namespace, folder: self.folder, address: self.address };
        server.wait_for("listening", |log| {
            log.contains("Server listening on") || log.contains("Not backgrounding")
        });
        server
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Sshd {
    child: Child,
    namespace: u32,
    folder: TempDir,
    address: SocketAddr,
}

impl Sshd {
    /// A server that is not started yet.
    pub(crate) fn builder(variant: Variant) -> Builder {
        Builder {
            variant,
            shell: "/bin/bash".to_owned(),
            lines: Vec::new(),
            under: Vec::new(),
            folder: tempfile::Builder::new().prefix("doppio-sshd-").tempdir().unwrap(),
            address: free_address(),
        }
    }

    /// Starts a server with bash as the login shell.
    pub(crate) fn start(variant: Variant) -> Self {
        Self::builder(variant).start()
    }

    /// Where it listens: an address of its own.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its files: `id`, `host_ed25519`, `log`, `sshd_config`, `home` and `tmp`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The private key that may log in as root.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder().join("id")
    }

    /// The home of whoever logs in. It has the same path here and there.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// What is `/tmp` there.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.folder().join("tmp")
    }

    /// The server's whole file tree as it sees it, `/dev/shm` included. Only while it runs.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid()))
    }

    /// The listening process, as this machine numbers it.
    pub(crate) fn pid(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.namespace);
        let children = fs::read_to_string(&children).unwrap();
        let is_first = |child: &&str| {
            let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
            status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"))
        };
        let first = children.split_whitespace().find(is_first);
        first.and_then(|child| child.parse().ok()).expect("the namespace has a process 1")
    }

    /// Whether a process is there and no zombie, as the server numbers it.
    pub(crate) fn has_process(&self, pid: &str) -> bool {
        let stat = fs::read_to_string(self.root().join(format!("proc/{pid}/stat"))).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// Runs a command on it, as somebody who logs in with OpenSSH does.
    pub(crate) fn ssh(&self, command: &str) -> Output {
        Command::new("ssh")
            .args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"])
            .args(["-o", "LogLevel=ERROR", "-p", &self.address.port().to_string(), "-i"])
            .arg(self.key())
            .args([&format!("root@{}", self.address.ip()), command])
            .output()
            .expect("ssh is installed")
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// A public host key as `TYPE BASE64`; `kind` is `ed25519` or `ecdsa`.
    pub(crate) fn host_key(&self, kind: &str) -> String {
        let file = self.folder().join(format!("host_{kind}.pub"));
        let line = fs::read_to_string(file).unwrap();
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// An entry of `hosts.toml` that reaches it.
    pub(crate) fn hosts_toml(&self, name: &str) -> String {
        format!(
            "[hosts.{name}]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\nidentity_file = \"{}\"\n",
            self.address.ip(),
            self.address.port(),
            self.key().display()
        )
    }

    /// Waits until the log satisfies `enough`.
    pub(crate) fn wait_for(&self, what: &str, enough: impl Fn(&str) -> bool) {
        wait_until(|| enough(&self.log()), || format!("the server is not {what}; its log:\n{}", self.log()));
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // The script ends with its stdin, and takes everything with it.
        drop(self.child.stdin.take());
        // A script that is gone already has done so.
        self.child.wait().ok();
    }
}

/// A loopback address that nothing else of this machine uses, with a free port.
pub(crate) fn free_address() -> SocketAddr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let id = std::process::id().wrapping_mul(61).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
    let [_, b, c, d] = id.to_be_bytes();
    // 127.0.*.* is left to everybody else.
    let address = Ipv4Addr::new(127, (b % 254) + 1, c, (d % 254) + 1);
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}
