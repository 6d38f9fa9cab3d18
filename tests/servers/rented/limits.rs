//! A machine stops itself, also with the laptop shut: `src/step/machine/watch.sh` is what it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process_group;

use doppio_test_support::wait_for;

use crate::support::rented::Rented;

fn recipe(limits: &str) -> String {
    format!(
        r#"
[[step]]
id = "hire"
vast_create = {{ gpu = "RTX_4090", image = "pytorch/pytorch", {limits}, env = {{ DOPPIO_WATCH_SECS = "0.5" }} }}
[[step]]
id = "train"
depends_on = ["hire"]
ssh_command = {{ command = "sleep 1000" }}
"#
    )
}

/// Starts a run whose machine has these limits, kills Doppio, and waits until the machine has stopped itself.
fn stops_itself(limits: &str) {
    let vast = Rented::vast();
    let doppio = vast.customer();
    doppio.recipe(&recipe(limits));
    let mut child = doppio.command(["run", "recipe.toml"]).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the training", || vast.processes().iter().any(|line| line.contains("sleep 1000")));
    child.kill().unwrap();
    child.wait().unwrap();
    vast.wait_until("the machine has stopped itself", |state| state["machines"][0]["target"] == "stopped");
    assert_eq!(vast.processes(), Vec::<String>::new());
    let by = |request: &serde_json::Value| {
        request["method"] == "PUT" && request["body"] == serde_json::json!({ "state": "stopped" })
    };
    let state = vast.state();
    assert!(state["requests"].as_array().unwrap().iter().any(by), "{state:#}");
    vast.expect_no_faults();
}

#[test]
fn a_machine_stops_after_its_hours_with_the_laptop_shut() {
    stops_itself("max_hours = 0.004");
}

#[test]
fn a_machine_that_nobody_uses_stops_with_the_laptop_shut() {
    // Not before anything can run there: its GPUs are as idle then.
    stops_itself("idle_below = 5, idle_minutes = 1");
}

/// A program of this name that a watcher finds first.
fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Whether a watcher with these limits has halted its machine by the third look. What `curl` was given is
/// compared on the way.
fn halts(shell: &[&str], most: &str, below: &str, driver: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let at = folder.path().display();
    program(&bin, "nvidia-smi", driver);
    program(&bin, "curl", &format!("{{ echo \"$*\"; cat; }} >{at}/asked.new; mv {at}/asked.new {at}/asked"));
    program(&bin, "sleep", &format!("echo >>{at}/looks; exec /bin/sleep \"$1\""));
    let minutes = if below.is_empty() { "" } else { "0" };
    let text = format!(
        "doppio_most={most}\ndoppio_below={below}\ndoppio_minutes={minutes}\ndoppio_url='http://127.0.0.1:1'\n{}",
        include_str!("../../../src/step/machine/watch.sh")
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut child = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", &text])
        .env_clear()
        .envs([("PATH", path.as_str()), ("DOPPIO_WATCH_SECS", "0.05")])
        .envs([("CONTAINER_ID", "12"), ("CONTAINER_API_KEY", "test_key_of_a_container")])
        .process_group(0)
        .spawn()
        .unwrap();
    let group = Pid::from_child(&child);
    child.wait().unwrap();
    let looks = || fs::read_to_string(folder.path().join("looks")).unwrap_or_default().len();
    let asked = folder.path().join("asked");
    wait_for("the watcher's look", || looks() > 3 || asked.exists());
    kill_process_group(group, Signal::KILL).unwrap();
    let Ok(said) = fs::read_to_string(&asked) else { return false };
    assert!(said.contains("-X PUT") && said.contains("http://127.0.0.1:1/api/v0/instances/12/"), "{said}");
    let (arguments, input) = said.split_once('\n').unwrap();
    assert!(arguments.contains(r#"{"state":"stopped"}"#) && !arguments.contains("test_key"), "{said}");
    assert_eq!(input, "header = \"Authorization: Bearer test_key_of_a_container\"\n");
    true
}

#[test]
fn the_watcher_is_the_same_in_every_shell() {
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        assert!(halts(shell, "0", "", "exit 9"), "{shell:?}: the hours are over");
        assert!(!halts(shell, "1000", "", "exit 9"), "{shell:?}: they are not");
        assert!(halts(shell, "", "5", "echo 0; echo 4"), "{shell:?}: all are idle");
        assert!(!halts(shell, "", "5", "echo 0; echo 97"), "{shell:?}: one is not");
        for unknown in ["exit 9", "echo '[N/A]'", "echo Unable to determine", ":"] {
            assert!(!halts(shell, "", "5", unknown), "{shell:?}: {unknown} counts as busy");
        }
    }
}
