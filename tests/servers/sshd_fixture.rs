//! The servers that other tests use are what they say they are.
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::sshd::free_address;

fn ssh(server: &Sshd, command: &str) -> String {
    let output = server.ssh(command);
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), server.log());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_login_shell_gets_a_home_of_its_own() {
    for shell in ["/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/fish"] {
        let server = Sshd::builder(Variant::Stock).shell(shell).start();
        let said = ssh(&server, "echo $HOME $SHELL");
        assert_eq!(said, format!("{} {shell}\n", server.home().display()));
    }
}

#[test]
fn dropbear_lets_the_same_key_in() {
    let server = Sshd::start(Variant::Dropbear);
    assert_eq!(ssh(&server, "echo hello"), "hello\n");
}

#[test]
fn nothing_outlives_a_server() {
    let server = Sshd::start(Variant::Stock);
    ssh(&server, "tmux new-session -d 'sleep 1000'; touch /dev/shm/left /tmp/left");
    assert!(server.tmp().join("left").exists());
    assert!(server.root().join("dev/shm/left").exists());
    assert!(!Path::new("/dev/shm/left").exists());
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

fn file_of_the_checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

// case H9
#[test]
fn a_container_without_a_usable_key_says_so_and_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    for (key, said) in
        [("ssh-ed25519 junk", "AUTHORIZED_KEY is not a public key"), ("", "give the public key")]
    {
        let output = Command::new("sh")
            .arg(file_of_the_checkout("tests/sshd/entrypoint.sh"))
            .env("SSHD_FOLDER", folder.path().join("files"))
            .env("AUTHORIZED_KEY", key)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}

// case H9
#[test]
fn the_folder_of_a_server_may_have_a_blank() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(folder.path().join("id"))
        .status()
        .unwrap();
    assert!(made.success());
    let address = free_address();
    let mut server = Command::new("sh")
        .arg(file_of_the_checkout("tests/sshd/entrypoint.sh"))
        .env("SSHD_FOLDER", folder.path().join("a b"))
        .env("SSHD_LISTEN", address.to_string())
        .env("AUTHORIZED_KEY", fs::read_to_string(folder.path().join("id.pub")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the server to listen", || std::net::TcpStream::connect(address).is_ok());
    let output = Command::new("ssh")
        .args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
        .args(["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "IdentityAgent=none", "-p"])
        .arg(address.port().to_string())
        .arg("-i")
        .arg(folder.path().join("id"))
        .args([&format!("root@{}", address.ip()), "echo hello"])
        .output()
        .unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "hello\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// case H9
#[test]
fn the_commands_of_the_container_end_with_ctrl_c_and_send_two_files() {
    for file in ["README.md", "Dockerfile.sshd"] {
        let text = fs::read_to_string(file_of_the_checkout(file)).unwrap();
        let commands: Vec<_> = text.lines().filter(|line| line.contains("docker run ")).collect();
        assert!(!commands.is_empty());
        for command in commands {
            assert!(command.contains("--init") && !command.contains(" -d "), "{file}: {command}");
        }
    }
    let ignored = fs::read_to_string(file_of_the_checkout(".dockerignore")).unwrap();
    let rules: Vec<_> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rules, ["*", "!tests/sshd/entrypoint.sh", "!tests/sshd/config.sh"]);
}
