//! `doppio doctor` and `doppio host` on real machines.

use std::fs;

use doppio_test_support::Doppio;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

fn machine(server: &Sshd) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    fs::write(doppio.doppio_home().join("hosts.toml"), server.hosts_toml("gpu")).expect("a file");
    doppio
}

#[test]
fn a_host_is_examined() {
    let server = Sshd::start(Variant::AcceptEnv);
    let doppio = machine(&server);
    doppio.hosts(&format!("{}trust = \"owned\"\n", server.hosts_toml("gpu")));
    let ran = doppio.run(["doctor", "--host", "gpu", "--output", "json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("a list");
    for id in ["login", "host-key", "server", "shell", "tmux", "setsid", "tmpfs", "accept-env", "ssh-client"]
    {
        let finding = findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(finding["severity"], "ok", "{finding}");
    }
    assert!(ran.stdout.contains("secrets travel in the channel's own environment"), "{}", ran.stdout);
    let stock = Sshd::start(Variant::Stock);
    let doppio = machine(&stock);
    doppio.hosts(&format!("{}trust = \"owned\"\n", stock.hosts_toml("gpu")));
    let ran = doppio.run(["doctor", "--host", "gpu"]).expect(0);
    assert!(ran.stdout.contains("AcceptEnv DOPPIO_* HF_TOKEN WANDB_API_KEY"), "{}", ran.stdout);
}

// case B14
#[test]
fn who_else_can_see_what_the_channel_carries_is_said() {
    let server = Sshd::start(Variant::AcceptEnv);
    let doppio = machine(&server);
    let ran = doppio.run(["doctor", "--host", "gpu"]).expect(0);
    assert!(ran.stdout.contains("secrets travel in the preamble, as on every rented host"), "{}", ran.stdout);
    doppio.hosts(&format!("{}trust = \"shared\"\n", server.hosts_toml("gpu")));
    let ran = doppio.run(["doctor", "--host", "gpu"]).expect(0);
    assert!(ran.stdout.contains("its sshd logs them at `LogLevel DEBUG2` and above"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`carrier = \"preamble\"` in hosts.toml avoids both"), "{}", ran.stdout);
}

#[test]
fn a_host_that_lets_nobody_in_is_an_error_with_a_mend() {
    let server = Sshd::start(Variant::NoLogin);
    let ran = machine(&server).run(["doctor", "--host", "gpu"]).expect(3);
    let is_told =
        |line: &str| line.starts_with("error ") && line.contains(" login as `root` on `gpu` refused");
    assert!(ran.stdout.lines().any(is_told), "{}", ran.stdout);
    assert!(ran.stdout.contains("fix: its sshd_config lets nobody in"), "{}", ran.stdout);
}

#[test]
fn a_rebuilt_host_is_forgotten_and_met_again() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let known = doppio.doppio_home().join("known_hosts");
    let old = "gpu ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n";
    fs::write(&known, old).expect("a file");
    let ran = doppio.run(["doctor", "--host", "gpu"]).expect(3);
    assert!(ran.stdout.contains("host key of `gpu` has changed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("doppio host forget gpu"), "{}", ran.stdout);
    doppio.run(["host", "forget", "gpu"]).expect(0);
    doppio.run(["doctor", "--host", "gpu"]).expect(0);
    assert!(fs::read_to_string(&known).expect("a file").contains(&server.host_key("ed25519")));
    doppio.run(["host", "forget", "gpu"]).expect(0);
    let ran = doppio.run(["host", "forget", "gpu"]).expect(3);
    assert!(ran.stderr.contains("no key of `gpu` is stored"), "{}", ran.stderr);
    assert_eq!(doppio.run(["host", "list"]).expect(0).stdout, "gpu\n");
}
