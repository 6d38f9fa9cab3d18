//! `TinySSH`: a server with one channel a connection, and codes of its own.

use std::fs;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::thread;

use tempfile::TempDir;

use crate::support::sshd::free_address;

/// A `TinySSH` that serves one connection a process, in a mount namespace in which whoever logs in has
/// a home of its own.
pub(crate) struct TinySsh {
    folder: TempDir,
    address: SocketAddr,
}

impl TinySsh {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-tinyssh-").tempdir().unwrap();
        let ssh = folder.path().join("home/.ssh");
        fs::create_dir_all(&ssh).unwrap();
        for folder in [folder.path().join("home"), ssh.clone()] {
            fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }
        let id = folder.path().join("id");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&id).status();
        assert!(made.unwrap().success());
        fs::copy(id.with_extension("pub"), ssh.join("authorized_keys")).unwrap();
        let keys = folder.path().join("keys");
        let made = Command::new("tinysshd-makekey").arg("-q").arg(&keys).status();
        assert!(made.expect("tinysshd is installed").success());
        // TinySSH takes no keys from below a folder that others may write to, as /tmp is.
        fs::write(folder.path().join("passwd"), "root:x:0:0:root:/mnt:/bin/bash\n").unwrap();

        let address = free_address();
        let listener = TcpListener::bind(address).unwrap();
        let path = folder.path().to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream.into(), &path);
            }
        });
        Self { folder, address }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// An entry of `hosts.toml` that reaches it.
    pub(crate) fn hosts_toml(&self, name: &str) -> String {
        format!(
            "[hosts.{name}]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\nidentity_file = \"{}\"\n",
            self.address.ip(),
            self.address.port(),
            self.folder.path().join("id").display()
        )
    }
}

fn serve(stream: OwnedFd, folder: &Path) {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let line = r#"mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/home" /mnt && exec tinysshd -v "$1/keys""#;
    let mut child = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", line, "sh"])
        .arg(folder)
        .stdin(stream.try_clone().unwrap())
        .stdout(stream)
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap();
    thread::spawn(move || child.wait());
}
