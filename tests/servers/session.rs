//! `doppio ssh` and `doppio attach`: what a person sees at a terminal.

use std::fs;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

fn machine(hosts: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("TERM", "xterm");
    doppio.hosts(hosts);
    doppio
}

#[test]
fn a_session_reaches_the_host_through_its_jumps_and_trusts_the_same_keys() {
    let (bastion, server) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    let doppio = machine(&format!(
        "{}jump = [\"bastion\"]\n{}",
        server.hosts_toml("gpu"),
        bastion.hosts_toml("bastion")
    ));
    let home = server.home().display().to_string();
    let ran = doppio.run(["ssh", "gpu", "--", "echo $HOME; exit 7"]).expect(7);
    assert_eq!(ran.stdout, format!("{home}\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("new host `gpu`: its key "), "{}", ran.stderr);
    let known = doppio.doppio_home().join("known_hosts");
    assert!(fs::read_to_string(&known).unwrap().contains(&server.host_key("ed25519")));
    assert!(bastion.log().contains("Accepted publickey"), "{}", bastion.log());
    // Nothing asks, and nothing of the configuration is a secret.
    let config = fs::read_to_string(doppio.doppio_home().join("openssh/doppio-gpu.config")).unwrap();
    assert!(config.contains("ProxyJump doppio-gpu-via-1") && config.contains("StrictHostKeyChecking yes"));
    let shown = doppio.spawned(
        &format!("{} ssh gpu", env!("CARGO_BIN_EXE_doppio")),
        &[("# ", "stty size; echo at-\\$((40+2))\\r".to_owned()), ("at-42", "exit 5\\r".to_owned())],
    );
    assert_eq!(shown.0, 5, "{}", shown.1);
}

#[test]
fn another_key_than_the_known_one_opens_no_session() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server.hosts_toml("gpu"));
    let old = "gpu ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n";
    fs::write(doppio.doppio_home().join("known_hosts"), old).unwrap();
    let ran = doppio.run(["ssh", "gpu", "--", "true"]).expect(3);
    assert!(ran.stderr.contains("host key of `gpu` has changed"), "{}", ran.stderr);
    assert!(!server.log().contains("Accepted"), "{}", server.log());
    // A key that the user has named counts instead of all lists.
    doppio.hosts(&format!("{}host_key = \"{}\"\n", server.hosts_toml("gpu"), server.host_key("ed25519")));
    doppio.run(["ssh", "gpu", "--", "true"]).expect(0);
    doppio.hosts(&format!("{}host_key = \"{}\"\n", server.hosts_toml("gpu"), &old["gpu ".len()..].trim()));
    doppio.run(["ssh", "gpu", "--", "true"]).expect(3);
}

#[test]
fn without_an_ssh_client_the_error_says_so() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server.hosts_toml("gpu")).env("PATH", "/nonexistent");
    let ran = doppio.run(["ssh", "gpu"]).expect(3);
    assert!(ran.stderr.contains("`ssh` is not installed on this machine"), "{}", ran.stderr);
    assert!(ran.stderr.contains("apt-get install openssh-client"), "{}", ran.stderr);
    let ran = doppio.run(["ssh", "local"]).expect(2);
    assert!(ran.stderr.contains("`local` is this machine"), "{}", ran.stderr);
}

#[test]
fn a_tmux_session_is_attached_and_left_again() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server.hosts_toml("gpu"));
    doppio.recipe(
        "[[step]]\nid = \"train\"\ntmux_new = { host_id = \"gpu\", session_name = \"train it\", command = \"echo here-$((40+2)); sleep 600\" }\n",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    let ran = doppio.run(["attach", "gpu", "trian it"]).expect(3);
    assert!(ran.stderr.contains("there is no tmux session `trian it` on `gpu`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`doppio attach gpu 'train it'`"), "{}", ran.stderr);
    let attach = format!("{} attach gpu {{train it}}", env!("CARGO_BIN_EXE_doppio"));
    let (code, shown) = std::thread::scope(|scope| {
        let attached = scope.spawn(|| doppio.spawned(&attach, &[("here-42", String::new())]));
        wait_for("a client of tmux", || !server.ssh("tmux list-clients -t '=train it'").stdout.is_empty());
        server.ssh("tmux detach-client -s '=train it'");
        attached.join().unwrap()
    });
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("detached"), "{shown}");
    assert!(server.ssh("tmux has-session -t '=train it'").status.success());
}
