//! A real `OpenBao` server, which speaks `HashiCorp` Vault's API, and its own program to look at it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

use doppio_test_support::wait_until;

use crate::support::venv;

/// A server that runs until this is dropped.
pub(crate) struct Bao {
    folder: TempDir,
    child: Child,
    port: u16,
    tls: bool,
}

impl Bao {
    /// In memory, unsealed, with the root token `root`.
    pub(crate) fn start() -> Self {
        Self::with(false)
    }

    /// The same behind TLS, with an authority of its own.
    pub(crate) fn start_tls() -> Self {
        Self::with(true)
    }

    fn with(tls: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-bao-").tempdir().expect("a folder in /tmp");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openbao/start.sh");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let child = Command::new(script)
            .arg(venv::program("bao"))
            .arg(folder.path())
            .args(["127.0.0.1", &port.to_string()])
            .args(tls.then_some("tls"))
            .stdin(Stdio::null())
            .spawn()
            .expect("the script starts");
        let server = Self { folder, child, port, tls };
        wait_until(
            || server.command(&["status"]).output().expect("bao starts").status.success(),
            || {
                let log = fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
                format!("OpenBao did not start:\n{log}")
            },
        );
        server
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http{}://{}", if self.tls { "s" } else { "" }, self.address())
    }

    /// The authority of its certificate.
    pub(crate) fn ca_cert(&self) -> PathBuf {
        self.folder.path().join("vault-ca.pem")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(venv::program("bao"));
        command.args(arguments).env("BAO_ADDR", self.url()).env("BAO_TOKEN", "root");
        command.env("HOME", self.folder.path()).stdin(Stdio::null());
        if self.tls {
            command.env("BAO_CACERT", self.ca_cert());
        }
        command
    }

    /// What its own program says, as root.
    #[track_caller]
    pub(crate) fn bao(&self, arguments: &[&str]) -> String {
        self.bao_with_stdin(arguments, "")
    }

    /// The same with something on its stdin.
    #[track_caller]
    pub(crate) fn bao_with_stdin(&self, arguments: &[&str], stdin: &str) -> String {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bao starts");
        child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "bao {arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    /// The accessors of all tokens.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Vec<String> {
        let list = self.bao(&["list", "-format=json", "auth/token/accessors"]);
        let mut tokens: Vec<String> = serde_json::from_str(&list).expect("a list of texts");
        tokens.sort();
        tokens
    }

    /// A role of `AppRole` with this policy and these settings: its id, and its secret.
    #[track_caller]
    pub(crate) fn role(&self, policy: &str, settings: &[&str]) -> (String, String) {
        self.bao_with_stdin(&["policy", "write", "of-role", "-"], policy);
        self.bao(&["auth", "enable", "approle"]);
        let path = "auth/approle/role/of-tests";
        self.bao(&[&["write", path, "token_policies=of-role", "token_ttl=1h"][..], settings].concat());
        let id = self.bao(&["read", "-field=role_id", &format!("{path}/role-id")]);
        let secret = self.bao(&["write", "-f", "-field=secret_id", &format!("{path}/secret-id")]);
        (id, secret)
    }

    /// A token with this policy, good for this long.
    pub(crate) fn token(&self, policy: &str, ttl: &str) -> String {
        let name = format!("p{}", policy.len());
        self.bao_with_stdin(&["policy", "write", &name, "-"], policy);
        let ttl = format!("-ttl={ttl}");
        let policy = format!("-policy={name}");
        self.bao(&["token", "create", "-field=token", &ttl, &policy])
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
