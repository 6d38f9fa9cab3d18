//! The servers that other tests use are what they say they are.
use std::path::Path;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

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
