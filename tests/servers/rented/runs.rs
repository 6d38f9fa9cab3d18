//! Recipes that hire a machine, use it and return it, however the run ends.

use rustix::process::Signal;
use serde_json::Value;
use serde_json::json;

use doppio_test_support::Doppio;
use doppio_test_support::send;
use doppio_test_support::wait_for;

use crate::rented::world::RETURN;
use crate::rented::world::World;
use crate::rented::world::ended;
use crate::rented::world::expect_all;
use crate::rented::world::hire;
use crate::rented::world::work;
use crate::support::rented::Rented;

fn is(event: &Value, name: &str) -> bool {
    event["event"] == name
}

#[test]
fn a_machine_is_hired_used_and_returned_and_its_cost_is_told() {
    let world = World::new();
    let steps = hire("") + &work("hostname; nvidia-smi -L") + RETURN;
    let ran = world.run(&steps).expect(0);
    expect_all(&ran.stderr, &["hired `vast-31000001`: offer 7001", "has cost $0.00", "and is gone"]);
    expect_all(&(ran.stdout + &ran.stderr), &["c-31000001", "GPU 0: NVIDIA GeForce RTX 4090"]);
    world.expect_nothing_left();
    let journal = world.journal();
    let rented = journal.iter().find(|event| is(event, "machine_rented")).unwrap();
    assert_eq!((&rented["machine"], &rented["step"]), (&json!("vast-31000001"), &json!("hire")));
    assert!(rented["per_hour"].as_f64().is_some_and(|price| price > 0.3), "{rented}");
    let returned = journal.iter().find(|event| is(event, "machine_returned")).unwrap();
    assert_eq!((&returned["per_hour"], &returned["step"]), (&json!(0.0), &json!("return")));
    let shown = world.doppio.run(["runs", "show"]).expect(0);
    expect_all(&(shown.stdout + &shown.stderr), &["`vast-31000001` has cost $0.00", "and is gone"]);
}

#[test]
fn a_machine_is_returned_after_a_step_that_fails() {
    let world = World::new();
    let ran = world.run(&(hire("") + &work("exit 7") + RETURN)).expect(1);
    expect_all(&ran.stderr, &["step `work` failed on `vast-31000001`", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn a_machine_is_returned_after_an_interrupt_in_the_middle_of_a_step() {
    let world = World::new();
    let child = world.start(&(hire("") + &work("touch began; sleep 1000") + RETURN));
    let began = || {
        let state = world.vast.state();
        let disk = state["machines"][0]["disk"].as_str().unwrap_or_default();
        std::path::Path::new(disk).join("root/began").exists() && !disk.is_empty()
    };
    wait_for("the step", began);
    send(&child, Signal::INT);
    let ran = ended(child).expect(130);
    expect_all(&ran.stderr, &["`vast-31000001` has cost $0.00", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn an_interrupt_while_a_machine_gets_ready_destroys_it() {
    let world = World::new();
    world.control(r#"{"machine": {"phases": [["loading", 1000]]}}"#);
    let child = world.start(&(hire("") + &work("true") + RETURN));
    world.wait_for_event(|event| is(event, "machine_rented"));
    wait_for("a look at it", || world.requests("GET /api/v0/instances/31000001/") >= 2);
    send(&child, Signal::INT);
    let ran = ended(child).expect(130);
    expect_all(&ran.stderr, &["`vast-31000001` was destroyed: it is of no use", "and is gone"]);
    world.expect_nothing_left();
}

#[test]
fn an_interrupt_while_an_order_has_no_answer_destroys_what_was_hired() {
    let world = World::new();
    world.control(r#"{"faults": [{"on": "PUT /api/v0/asks/", "after": true, "wait": 100}]}"#);
    let child = world.start(&(hire("") + &work("true") + RETURN));
    wait_for("the order", || world.hired() == 1);
    send(&child, Signal::INT);
    ended(child).expect(130);
    world.expect_nothing_left();
}

#[test]
fn a_machine_that_does_not_get_ready_is_destroyed_though_the_vendor_fails() {
    let world = World::new();
    world.control(r#"{"machine": {"sshd": false}, "faults": [{"on": "DELETE ", "do": "500", "times": 6}]}"#);
    let steps = hire(", ready_timeout_secs = 6").replacen("ready_timeout_secs = 60, ", "", 1);
    let ran = world.run(&(steps + &work("true") + RETURN)).expect(3);
    expect_all(
        &ran.stderr,
        &[
            "`vast-31000001` is not ready after 6 s: its SSH port answers",
            "last seen: ",
            "hint: hire another machine: `doppio vast search`",
            "and is gone",
        ],
    );
    assert!(!ran.stderr.contains("doppio vast logs"), "its log is gone with it: {}", ran.stderr);
    world.expect_nothing_left();
}

#[test]
fn a_machine_of_a_run_that_goes_on_is_not_taken() {
    let world = World::new();
    let steps = hire(", if_exists = \"reuse\"") + &work("sleep 1000") + RETURN;
    let child = world.start(&steps);
    world.wait_for_event(|event| is(event, "step_started") && event["step"] == "work");
    let ran = world.run(&steps).expect(3);
    expect_all(&ran.stderr, &["`vast-31000001` was hired for this step by run `2", "which goes on"]);
    expect_all(&ran.stderr, &["`doppio runs show 2", "no machine was hired: there is nothing to destroy"]);
    send(&child, Signal::INT);
    ended(child).expect(130);
    world.expect_nothing_left();
}

#[test]
fn the_key_of_a_machine_that_is_new_is_kept_where_nobody_looks_at_it() {
    let vast = Rented::vast();
    let doppio = Doppio::new().env("VAST_API_KEY", vast.key()).env("CI", "true");
    let world = World::of(vast, doppio);
    world.run(&(hire("") + &work("true"))).expect(0);
    let id = world.machine();
    world.doppio.run(["exec", "--host", &id, "--", "true"]).expect(0);
    std::fs::remove_file(world.doppio.doppio_home().join("known_hosts")).unwrap();
    let ran = world.doppio.run(["exec", "--host", &id, "--", "true"]).expect(3);
    expect_all(&ran.stderr, &["host key of `vast-31000001` is not known", "`CI` is set"]);
    world.doppio.run(["vast", "destroy", &id, "--yes"]).expect(0);
    world.expect_nothing_left();
}

#[test]
fn a_second_interrupt_says_what_still_costs() {
    let world = World::new();
    let child = world.start(&(hire("") + &work("sleep 1000") + RETURN));
    world.wait_for_event(|event| is(event, "step_started") && event["step"] == "work");
    // Its destruction hangs, so that there is time for the second one.
    world.control(r#"{"faults": [{"on": "DELETE ", "wait": 100}]}"#);
    send(&child, Signal::INT);
    wait_for("the destruction", || world.requests("DELETE ") > 0);
    send(&child, Signal::INT);
    let ran = ended(child).expect(130);
    expect_all(&ran.stderr, &["step `return` was not waited for", "so far, and costs $0.364 an hour until"]);
    expect_all(&ran.stderr, &["`doppio vast destroy vast-31000001`"]);
    let shown = world.doppio.run(["runs", "show"]).expect(0);
    expect_all(&shown.stdout, &["so far, and costs $0.364 an hour until"]);
    world.control("{}");
    world.doppio.run(["vast", "orphans", "--destroy", "--yes"]).expect(0);
    world.expect_nothing_left();
}

#[test]
fn nothing_is_hired_or_destroyed_in_the_sandbox() {
    let world = World::new();
    world.run(&hire("")).expect(0);
    let id = world.machine();
    let steps = hire("") + &work("echo ${step.hire.outputs.host}") + RETURN;
    world.doppio.recipe(
        &(steps
            + &format!(
                "
[[step]]
id = \"other\"
vast_destroy = {{ host_id = \"{id}\" }}
"
            )),
    );
    let ran = world.doppio.run(["run", "recipe.toml", "--sandbox"]).expect(0);
    expect_all(&ran.stderr, &["in the sandbox, nothing is hired", "in the sandbox, nothing is destroyed"]);
    assert_eq!((world.machine(), world.hired()), (id.clone(), 1));
    world.doppio.run(["vast", "destroy", &id, "--yes"]).expect(0);
    world.expect_nothing_left();
}

#[test]
fn a_stopped_machine_starts_again_and_its_disk_is_told_of() {
    let world = World::new();
    let steps = hire("")
        + &work("echo kept > note")
        + "
[[step]]
id = \"stop\"
depends_on = [\"work\"]
vast_stop = {}
";
    let ran = world.run(&steps).expect(0);
    expect_all(&ran.stderr, &["so far, and costs $0.00", "`doppio vast destroy vast-31000001`"]);
    let id = world.machine();
    let ran = world.doppio.run(["exec", "--host", &id, "--", "cat", "note"]).expect(3);
    expect_all(&ran.stderr, &["`vast-31000001` is stopped", "`doppio vast start vast-31000001`"]);
    let steps = format!(
        "
[[step]]
id = \"start\"
vast_start = {{ host_id = \"{id}\", ready_timeout_secs = 60 }}

[[step]]
id = \"read\"
depends_on = [\"start\"]
ssh_command = {{ host_id = \"${{target}}\", command = \"cat note\" }}

[[step]]
id = \"destroy\"
depends_on = [\"read\"]
run_if = \"always\"
vast_destroy = {{ host_id = \"{id}\" }}
"
    );
    let ran = world.run(&steps).expect(0);
    expect_all(&(ran.stdout + &ran.stderr), &["kept", "and is gone"]);
    world.expect_nothing_left();
}
