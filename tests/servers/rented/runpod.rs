//! Pods of `RunPod`.

use serde_json::Value;
use serde_json::json;

use super::only;
use super::user;
use crate::support::rented::Rented;

/// The bodies of the requests for a pod.
fn orders(runpod: &Rented) -> Vec<Value> {
    let state = runpod.state();
    let all = state["requests"].as_array().expect("a list");
    let is_order = |request: &&Value| request["method"] == "POST" && request["path"] == "/v2/pods";
    all.iter().filter(is_order).map(|request| request["body"].clone()).collect()
}

#[test]
fn a_run_hires_a_pod_works_there_and_destroys_it() {
    let runpod = Rented::runpod();
    let doppio = user(&runpod, "RUNPOD");
    doppio.recipe(
        r#"
        [[step]]
        id = "hire"
        machine_create = { provider = "runpod", gpu = "RTX_4090", gpus = 2, max_price = 1, image = "runpod/pytorch", disk_gb = 30, env = { KIND = "test" } }
        [[step]]
        id = "work"
        depends_on = ["hire"]
        ssh_command = { command = "nvidia-smi -L; id -un" }
        [[step]]
        id = "end"
        depends_on = ["work"]
        run_if = "always"
        machine_destroy = { provider = "runpod" }
        "#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("GPU 1: NVIDIA GeForce RTX 4090") && said.contains("root"), "{said}");
    let order = &orders(&runpod)[0];
    assert_eq!(order["gpu"], json!({ "id": "NVIDIA GeForce RTX 4090", "count": 2 }));
    assert_eq!(
        (&order["cloud"], &order["disk"], &order["ports"]),
        (&json!("COMMUNITY"), &json!(30), &json!(["22/tcp"]))
    );
    assert_eq!(order["env"], json!({ "KIND": "test", "PUBLIC_KEY": runpod.public_key() }));
    runpod.expect_nothing_rented();
    runpod.expect_no_faults();
}

#[test]
fn a_pod_with_the_proxy_only_is_of_no_use_and_that_is_said() {
    let runpod = Rented::runpod();
    runpod.control(r#"{"machine": {"ports_late": 600}}"#);
    let doppio = user(&runpod, "RUNPOD");
    doppio.recipe(
        r#"
        [[step]]
        id = "hire"
        machine_create = { provider = "runpod", gpu = "A4000", image = "runpod/pytorch", ready_timeout_secs = 4 }
        "#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("only the proxy leads to it"), "{said}");
    assert!(said.contains("22/tcp is not mapped yet"), "{said}");
    assert!(said.contains("was destroyed"), "{said}");
    assert!(!said.contains("doppio runpod logs"), "there is no such command: {said}");
    runpod.expect_nothing_rented();
    runpod.expect_no_faults();
}

#[test]
fn a_pod_is_hired_looked_at_used_stopped_and_destroyed_by_hand() {
    let runpod = Rented::runpod();
    let doppio = user(&runpod, "RUNPOD");
    let ran = doppio.run(["runpod", "search", "--gpu", "H100", "--max-price", "2.8"]).expect(0);
    assert!(ran.stdout.contains("COMMUNITY:1:NVIDIA H100 80GB HBM3"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("SECURE") && !ran.stdout.contains("4090"), "{}", ran.stdout);
    let offer = "SECURE:1:NVIDIA RTX A4000";
    let ran =
        doppio.run(["runpod", "create", offer, "--image", "runpod/pytorch", "--max-price", "0.1", "--yes"]);
    assert!(ran.expect(3).stderr.contains("`--max-price` allows $0.100"));
    doppio.run(["runpod", "create", offer, "--image", "runpod/pytorch", "--yes"]).expect(0);
    let id = only(&doppio, "runpod");
    runpod.wait_for_machine(id.trim_start_matches("runpod-"));
    let ran = doppio.run(["exec", "--host", &id, "--", "id", "-un"]).expect(0);
    assert!(ran.stdout.contains("root"), "{}", ran.stdout);
    doppio.run(["runpod", "label", &id, "mine"]).expect(0);
    doppio.run(["runpod", "stop", &id]).expect(0);
    let ran = doppio.run(["exec", "--host", &id, "--", "true"]).expect(3);
    assert!(ran.stderr.contains(&format!("start it: `doppio runpod start {id}`")), "{}", ran.stderr);
    let ran = doppio.run(["runpod", "cost"]).expect(0);
    assert!(ran.stdout.contains("spent since") && !ran.stdout.contains("credit"), "{}", ran.stdout);
    doppio.run(["runpod", "destroy", &id, "--yes"]).expect(0);
    runpod.expect_nothing_rented();
    runpod.expect_no_faults();
}

#[test]
fn a_pod_whose_run_is_over_is_an_orphan() {
    let runpod = Rented::runpod();
    let doppio = user(&runpod, "RUNPOD");
    doppio.recipe(
        r#"
        [[step]]
        id = "hire"
        machine_create = { provider = "runpod", gpu = "A4000", image = "runpod/pytorch" }
        "#,
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    // The same step of another run finds what the first has left.
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!((ran.stdout + &ran.stderr).contains("doppio runpod destroy runpod-pod"));
    let ran = doppio.run(["runpod", "orphans", "--destroy", "--yes"]).expect(0);
    assert!(ran.stdout.contains("hire"), "{}", ran.stdout);
    runpod.expect_nothing_rented();
    runpod.expect_no_faults();
}
