//! From "it was hired" to "a step can run on it", on machines that come up late, badly or never.

use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use doppio_test_support::wait_for;

use crate::rented::world::RETURN;
use crate::rented::world::World;
use crate::rented::world::ended;
use crate::rented::world::expect_all;
use crate::rented::world::hire;
use crate::rented::world::work;

const ID: &str = "31000001";

/// The whole recipe, with a step that prints a line.
fn whole() -> String {
    hire("") + &work("echo it $((40 + 2))") + RETURN
}

/// A whole run on machines that are so.
fn run_on(machine: &str) {
    let world = World::new();
    world.control(&format!(r#"{{"machine": {machine}}}"#));
    let ran = world.run(&whole()).expect(0);
    expect_all(&ran.stderr, &["it 42", "and is gone"]);
    world.expect_nothing_left();
}

/// A run on machines that are so, and never become ready.
fn fail_on(machine: &str, parts: &[&str]) {
    let world = World::new();
    world.control(&format!(r#"{{"machine": {machine}}}"#));
    let began = Instant::now();
    let ran = world.run(&whole()).expect(3);
    expect_all(&ran.stderr, parts);
    expect_all(&ran.stderr, &["hint: hire another machine: `doppio vast search`", "and is gone"]);
    assert!(began.elapsed() < Duration::from_secs(50), "it was waited for: {}", ran.stderr);
    world.expect_nothing_left();
}

#[test]
fn a_key_that_comes_late_is_waited_for() {
    let world = World::new();
    world.control(r#"{"machine": {"keys_late": "never"}}"#);
    let child = world.start(&whole());
    let attach = format!("POST /api/v0/instances/{ID}/ssh/");
    wait_for("the key to be attached again", || world.requests(&attach) == 2);
    world.control("{}");
    let ran = ended(child).expect(0);
    expect_all(&ran.stderr, &["refused our key; its vendor was asked to attach it", "it 42", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn a_machine_is_reached_by_the_proxy_where_its_own_port_is_closed_silent_or_missing() {
    run_on(r#"{"direct": "closed"}"#);
    run_on(r#"{"direct": "silent"}"#);
    run_on(r#"{"mapped": false}"#);
}

#[test]
fn login_files_that_start_tmux_or_print_do_no_harm() {
    run_on(r#"{"bashrc": ["noisy", "auto-tmux-always"]}"#);
    run_on(r#"{"bashrc": ["noisy", "auto-tmux"]}"#);
}

#[test]
fn what_never_starts_ends_at_once_with_the_vendors_words() {
    fail_on(
        r#"{"end": "created", "message": "Error: OCI runtime create failed: no such device"}"#,
        &["`vast-31000001` can't start its container", "its vendor says: Error: OCI runtime create failed"],
    );
    fail_on(
        r#"{"end": "stopped", "message": "the host went away"}"#,
        &["`vast-31000001` was stopped, and will not start by itself", "its vendor says: the host went away"],
    );
}

#[test]
fn an_api_that_says_too_early_that_a_machine_runs_is_not_believed() {
    let world = World::new();
    world.control(r#"{"machine": {"phases": [["loading", 3]]}}"#);
    let child = world.start(&whole());
    wait_for("the machine", || world.hired() == 1);
    let order = json!({ "do": "status", "id": ID, "status": "running" });
    assert_eq!(world.vast.order(&order), 200);
    let ran = ended(child).expect(0);
    expect_all(&ran.stderr, &["it runs, and its SSH port does not answer yet", "it 42", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn a_machine_that_ends_while_nobody_was_let_in_yet_is_given_up_at_once() {
    let world = World::new();
    world.control(r#"{"machine": {"sshd": false}}"#);
    let child = world.start(&whole());
    world.vast.wait_for_machine(ID);
    world.vast.happens("preempt", ID);
    let ran = ended(child).expect(3);
    expect_all(&ran.stderr, &["was stopped, and will not start by itself", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn a_key_that_vanishes_is_attached_again_and_a_new_host_key_is_refused() {
    let world = World::new();
    world.run(&(hire("") + &work("true"))).expect(0);
    let id = world.machine();
    world.vast.happens("vanish_keys", ID);
    let exec = || world.doppio.run(["exec", "--host", &id, "--", "hostname"]);
    let ran = exec().expect(0);
    assert_eq!(ran.stdout, "c-31000001\n");
    expect_all(&ran.stderr, &["`vast-31000001` refused our key; its vendor was asked to attach it"]);

    let before = world.vast.wait_for_machine(ID);
    world.vast.call("PUT", &format!("/api/v0/instances/recycle/{ID}/"), Some(&json!({})));
    let after = world.vast.wait_for_machine(ID);
    assert_ne!(before["host_key"], after["host_key"]);
    let ran = exec().expect(3);
    let fingerprints = ran.stderr.matches("SHA256:").count();
    assert!(fingerprints >= 2, "{}", ran.stderr);
    world.doppio.run(["vast", "destroy", &id, "--yes"]).expect(0);
    world.expect_nothing_left();
}
