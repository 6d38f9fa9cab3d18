//! Instances of Lambda Cloud.

use serde_json::json;

use super::only;
use super::user;
use crate::support::rented::Rented;

#[test]
fn a_run_hires_an_instance_works_there_as_ubuntu_and_leaves_no_key() {
    let lambda = Rented::lambda();
    let doppio = user(&lambda, "LAMBDA");
    doppio.recipe(
        r#"
        [[step]]
        id = "hire"
        machine_create = { provider = "lambda", gpu = "A10", max_price = 1 }
        [[step]]
        id = "work"
        depends_on = ["hire"]
        ssh_command = { command = "nvidia-smi -L; id -un" }
        [[step]]
        id = "halt"
        depends_on = ["work"]
        machine_stop = {}
        [[step]]
        id = "end"
        depends_on = ["halt"]
        run_if = "always"
        machine_destroy = {}
        "#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("GPU 0: NVIDIA A10") && said.contains("ubuntu"), "{said}");
    assert!(said.contains("Lambda can't stop a machine without destroying it"), "{said}");
    assert!(said.contains("destroying ends the costs"), "{said}");
    assert_eq!(lambda.call("GET", "/api/v1/ssh-keys", None), (200, json!({ "data": [] })));
    lambda.expect_nothing_rented();
    lambda.expect_no_faults();
}

#[test]
fn an_instance_is_hired_with_a_key_of_the_account_which_stays() {
    let lambda = Rented::lambda();
    let key = json!({ "name": "laptop", "public_key": lambda.public_key() });
    assert_eq!(lambda.call("POST", "/api/v1/ssh-keys", Some(&key)).0, 200);
    let doppio = user(&lambda, "LAMBDA");
    let ran = doppio.run(["lambda", "search", "--gpus", "1"]).expect(0);
    assert!(ran.stdout.contains("us-east-1:gpu_1x_a10") && !ran.stdout.contains("h100"), "{}", ran.stdout);
    doppio.run(["lambda", "create", "us-east-1:gpu_1x_a10", "--yes"]).expect(0);
    let id = only(&doppio, "lambda");
    lambda.wait_for_machine(id.trim_start_matches("lambda-"));
    let ran = doppio.run(["exec", "--host", &id, "--", "id", "-un"]).expect(0);
    assert!(ran.stdout.contains("ubuntu"), "{}", ran.stdout);
    doppio.run(["lambda", "destroy", &id, "--yes"]).expect(0);
    let (_, keys) = lambda.call("GET", "/api/v1/ssh-keys", None);
    assert_eq!(keys["data"][0]["name"], "laptop");
    lambda.expect_nothing_rented();
    lambda.expect_no_faults();
}

#[test]
fn without_capacity_nothing_is_left_at_lambda() {
    let lambda = Rented::lambda();
    lambda.control(r#"{"faults": [{"on": "POST /api/v1/instance-operations/launch", "do": "no-capacity"}]}"#);
    let doppio = user(&lambda, "LAMBDA");
    doppio.recipe(
        r#"
        [[step]]
        id = "hire"
        machine_create = { provider = "lambda", gpu = "A10" }
        "#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("an offer was taken by others"), "{said}");
    assert!(said.contains("`doppio lambda search`"), "{said}");
    assert_eq!(lambda.call("GET", "/api/v1/ssh-keys", None), (200, json!({ "data": [] })));
    lambda.expect_nothing_rented();
    lambda.expect_no_faults();
}
