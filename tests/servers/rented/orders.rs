//! What goes wrong when a test orders it, and what it costs.

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use serde_json::Value;
use serde_json::json;

use doppio_test_support::wait_for;

use crate::support::rented::Rented;
use crate::support::rented::text;

fn create(vast: &Rented, offer: u32, more: &Value) -> (u16, Value) {
    let mut body = json!({ "client_id": "me", "image": "img", "disk": 16, "runtype": "ssh_direc ssh_proxy" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    vast.call("PUT", &format!("/api/v0/asks/{offer}/"), Some(&body))
}

fn created(vast: &Rented, offer: u32, more: &Value) -> String {
    let (status, said) = create(vast, offer, more);
    assert_eq!(status, 200, "{said}");
    text(&said["new_contract"])
}

fn attach(vast: &Rented, id: &str) -> u16 {
    let key = json!({ "ssh_key": vast.public_key() });
    vast.call("POST", &format!("/api/v0/instances/{id}/ssh/"), Some(&key)).0
}

fn log_in(vast: &Rented, machine: &Value, port: &str) -> Option<i32> {
    vast.ssh("root", machine[port].as_u64().unwrap(), "true").status.code()
}

#[test]
fn nothing_outlives_a_stand_in_that_is_killed() {
    let vast = Rented::vast();
    let id = created(&vast, 7001, &json!({}));
    attach(&vast, &id);
    let machine = vast.wait_for_machine(&id);
    let port = machine["direct_port"].as_u64().unwrap();
    assert!(vast.ssh("root", port, "tmux new-session -d 'sleep 1000'").status.success());
    assert!(vast.processes().iter().any(|line| line.contains("sleep 1000")), "{:?}", vast.processes());
    kill_process(Pid::from_raw(i32::try_from(vast.pid()).unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_for("the machine's end", || vast.processes().is_empty());
}

#[test]
fn a_running_machine_costs_more_than_a_stopped_one() {
    let vast = Rented::vast();
    vast.control(r#"{"time_factor": 36000}"#);
    let id = created(&vast, 7006, &json!({ "label": "dear" }));
    vast.wait_for_machine(&id);
    vast.wait_until("it costs", |state| state["burnt"].as_f64().is_some_and(|burnt| burnt > 1.0));
    let stop = json!({ "state": "stopped" });
    assert_eq!(vast.call("PUT", &format!("/api/v0/instances/{id}/"), Some(&stop)).0, 200);
    let stopped = vast.state()["burnt"].as_f64().unwrap();
    let state = vast
        .wait_until("its disk costs", |state| state["burnt"].as_f64().is_some_and(|burnt| burnt > stopped));
    assert_eq!((&state["running"], &state["pids"]), (&json!([]), &json!([])));
    let path = "/api/v1/instances/?select_filters=%7B%22label%22%3A%7B%22eq%22%3A%22dear%22%7D%7D";
    let (_, listed) = vast.call("GET", path, None);
    assert_eq!(text(&listed["instances"][0]["id"]), id);
    assert_eq!(vast.call("DELETE", &format!("/api/v0/instances/{id}/"), None).0, 200);
    vast.expect_nothing_rented();
    vast.expect_no_faults();
}

#[test]
fn ways_to_a_machine_and_keys_fail_as_ordered() {
    let vast = Rented::vast();
    let id = created(&vast, 7001, &json!({}));
    let machine = vast.wait_for_machine(&id);
    assert_eq!(log_in(&vast, &machine, "direct_port"), Some(255), "no key yet");
    assert_eq!(attach(&vast, &id), 200);
    let has_key = |state: &Value| state["machines"][0]["keys"] == json!([vast.public_key()]);
    vast.wait_until("the key is there", has_key);
    assert_eq!(log_in(&vast, &machine, "direct_port"), Some(0));
    assert_eq!(log_in(&vast, &machine, "proxy_port"), Some(0));

    vast.control(r#"{"machine": {"direct": "closed"}}"#);
    wait_for("the closed port", || log_in(&vast, &machine, "direct_port") == Some(255));
    assert_eq!(log_in(&vast, &machine, "proxy_port"), Some(0));
    vast.control("{}");
    wait_for("the open port", || log_in(&vast, &machine, "direct_port") == Some(0));

    vast.happens("vanish_keys", &id);
    assert_eq!(log_in(&vast, &machine, "direct_port"), Some(255));
    assert_eq!(attach(&vast, &id), 200);
    vast.wait_until("the key is there", has_key);
    assert_eq!(log_in(&vast, &machine, "direct_port"), Some(0));

    let (_, rebuilt) = vast.call("PUT", &format!("/api/v0/instances/recycle/{id}/"), Some(&json!({})));
    assert_eq!(rebuilt["success"], true, "{rebuilt}");
    let again = vast.wait_for_machine(&id);
    assert_ne!(again["host_key"], machine["host_key"]);
    assert_eq!(again["direct_port"], machine["direct_port"]);

    vast.happens("preempt", &id);
    assert_eq!(vast.state()["machines"][0]["status"], "stopped");
    assert_eq!(vast.processes(), Vec::<String>::new());
    vast.happens("gone", &id);
    let (status, shown) = vast.call("GET", &format!("/api/v0/instances/{id}/?owner=me"), None);
    assert_eq!((status, shown), (200, json!({ "instances": null })));
    vast.expect_no_faults();
}

#[test]
fn an_answer_that_is_lost_may_have_made_a_machine() {
    let vast = Rented::vast();
    vast.control(
        r#"{"faults": [
        {"on": "PUT /api/v0/asks/7001/", "do": "html-502", "after": true, "times": 1},
        {"on": "PUT /api/v0/asks/7002/", "do": "plain-429", "times": 1},
        {"on": "PUT /api/v0/asks/7005/", "do": "taken"},
        {"on": "POST /api/v0/bundles/", "do": "quota"}
    ]}"#,
    );
    assert_eq!(create(&vast, 7001, &json!({ "label": "lost" })).0, 502);
    assert_eq!(vast.state()["machines"][0]["label"], "lost");
    assert_eq!(create(&vast, 7002, &json!({})), (429, json!("Too Many Requests")));
    created(&vast, 7002, &json!({}));
    let (status, taken) = create(&vast, 7005, &json!({}));
    assert_eq!((status, &taken["error"]), (410, &json!("no_such_ask")));
    let (status, quota) = vast.call("POST", "/api/v0/bundles/", Some(&json!({})));
    assert_eq!((status, &quota["error"]), (429, &json!("search_quota_exceeded")));

    // A bid too low leaves a stopped instance.
    let (status, refused) = create(&vast, 7006, &json!({ "price": 0.01 }));
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_price")));
    let path = format!("/api/v0/instances/{}/?owner=me", refused["new_contract"]);
    assert_eq!(vast.call("GET", &path, None).1["instances"]["cur_state"], "stopped");
    vast.expect_no_faults();
}

#[test]
fn a_machine_may_never_come_up() {
    let vast = Rented::vast();
    vast.control(
        r#"{"machines": {
        "broken": {"end": "created", "message": "OCI runtime create failed: no such device"},
        "silent": {"direct": "silent", "sshd": false}
    }, "nulls": ["gpu_util"], "strings": true, "unknown": true}"#,
    );
    let broken = created(&vast, 7001, &json!({ "label": "broken" }));
    let silent = created(&vast, 7002, &json!({ "label": "silent" }));
    vast.wait_for_machine(&silent);
    let (_, shown) = vast.call("GET", &format!("/api/v0/instances/{silent}/?owner=me"), None);
    let row = &shown["instances"];
    assert_eq!(
        (&row["actual_status"], &row["gpu_util"], &row["num_gpus"]),
        (&json!("running"), &Value::Null, &json!("2"))
    );
    vast.wait_until("it stands still", |state| state["machines"][0]["status"] == "created");
    let (_, shown) = vast.call("GET", &format!("/api/v0/instances/{broken}/?owner=me"), None);
    assert!(text(&shown["instances"]["status_msg"]).starts_with("OCI runtime create failed"), "{shown}");
    vast.expect_no_faults();
}

#[test]
fn logins_may_be_noisy_and_end_in_tmux() {
    let vast = Rented::vast();
    vast.control(
        r#"{"machines": {
        "tmux": {"bashrc": ["auto-tmux-always"]}, "noisy": {"bashrc": ["noisy", "auto-tmux"]}
    }}"#,
    );
    let said = |offer, label: &str, commands: &[&str]| -> Vec<String> {
        let id = created(&vast, offer, &json!({ "label": label }));
        attach(&vast, &id);
        let port = vast.wait_for_machine(&id)["direct_port"].as_u64().unwrap();
        let output = commands.iter().map(|command| vast.ssh("root", port, command));
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).collect()
    };
    let machine = |state: &Value| text(&state["machines"][0]["disk"]);
    assert!(!said(7001, "tmux", &["echo hello"])[0].contains("hello"));
    // As vast.ai tells its users to do.
    std::fs::write(std::path::Path::new(&machine(&vast.state())).join("root/.no_auto_tmux"), "").unwrap();
    let port = vast.state()["machines"][0]["direct_port"].as_u64().unwrap();
    assert_eq!(vast.ssh("root", port, "echo hello").stdout, b"hello\n");
    let noisy = said(7002, "noisy", &["echo hello; pwd"]);
    assert!(
        noisy[0].contains("motd: 3 updates") && noisy[0].ends_with("no newlinehello\n/workspace\n"),
        "{noisy:?}"
    );
}

#[test]
fn a_session_expires_and_a_host_asks_for_more() {
    let vast = Rented::vast();
    let id = created(&vast, 7001, &json!({}));
    vast.control(&format!(
        r#"{{"raise": {{"{id}": 2.0}}, "faults": [{{"on": "", "key": "second_key", "do": "session-expired"}}]}}"#
    ));
    let path = "/api/v0/instances/pending-price-increases/";
    let (status, expired) = vast.call_with(vast.second_key(), "GET", path);
    assert_eq!((status, &expired["msg"]), (404, &json!("Session expired. Please log in again.")));
    let (_, pending) = vast.call("GET", path, None);
    let row = &pending["pending_price_increases"][0];
    assert_eq!(text(&row["contract_id"]), id);
    let before = vast.state()["machines"][0]["per_hour"].as_f64().unwrap();
    let accept = json!({ "pending_price_increase_id": row["pending_price_increase_id"] });
    assert_eq!(vast.call("PUT", "/api/v0/instances/accept-price-increase/", Some(&accept)).0, 200);
    let after = vast.state()["machines"][0]["per_hour"].as_f64().unwrap();
    assert!((after - 2.0 * before).abs() < 1e-9, "{after} after {before}");
    assert_eq!(vast.call_with("wrong", "GET", path).0, 401);
}

#[test]
fn what_the_api_does_not_know_is_a_fault() {
    let vast = Rented::vast();
    let (status, _) = create(&vast, 7001, &json!({ "gpu": "all" }));
    assert_eq!(status, 400);
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vast.expect_no_faults()));
    assert!(found.is_err());
    vast.expect_nothing_rented();
}
