//! `doppio exec` on real servers.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

#[test]
fn a_command_runs_on_all_hosts_of_a_tag() {
    let (one, other) = (Sshd::start(Variant::Stock), Sshd::start(Variant::AcceptEnv));
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off");
    doppio.store("team/key", "hunter2 hunter2");
    let tagged = "trust = \"owned\"\ntags = [\"gpus\"]\n";
    doppio.hosts(&format!("{}{tagged}\n{}{tagged}", one.hosts_toml("gpu-a"), other.hosts_toml("gpu-bb")));
    let text = "echo \"T is $T\"; echo \"${#T}\" >&2";
    let ran = doppio.run(["exec", "--host", "@gpus", "--env", "T=team/key", "--", text]).expect(0);
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["gpu-a  | T is ***", "gpu-bb | T is ***"]);
    for line in ["gpu-a  | 15", "gpu-bb | 15", "gpu-a  ✓ done in ", "gpu-bb ✓ done in "] {
        assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
    }
    let text = format!("case $HOME in {}) exit 5;; esac", one.home().display());
    let ran = doppio.run(["exec", "--host", "gpu-a,gpu-bb", "--", &text]).expect(1);
    assert!(ran.stderr.contains("gpu-a  ✗ failed after "), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: the command failed on `gpu-a`: exit code 5"), "{}", ran.stderr);
    assert!(ran.stderr.contains("doppio runs logs "), "{}", ran.stderr);
    // The server's own way of ending it is the host's.
    doppio.run(["exec", "--host", "gpu-a", "--", "exit 42"]).expect(42);
    drop(one);
    let ran = doppio.run(["exec", "--host", "gpu-a", "--", "true"]).expect(3);
    assert!(ran.stderr.contains("nothing listens on"), "{}", ran.stderr);
}

#[test]
fn ctrl_c_stops_what_was_started_on_the_host() {
    let server = Sshd::start(Variant::Stock);
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(&server.hosts_toml("gpu"));
    let mut child = doppio.start(["exec", "--host", "gpu", "--", "echo $$; sleep 600"]);
    let mut pid = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    let pid = pid.trim();
    assert!(server.has_process(pid), "{pid}");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(130);
    assert!(ran.stderr.contains("error: the command was stopped: interrupted"), "{}", ran.stderr);
    assert!(!server.has_process(pid), "{pid}");
}
