//! What a machine costs is said while it runs and afterwards, with what is left to do; and a machine must have
//! what the recipe asks for.

use std::process::Stdio;

use serde_json::Value;

use doppio_test_support::Ran;
use doppio_test_support::wait_for;

use crate::support::rented::Rented;

/// The machine that a stand-in hires out first.
const FIRST: &str = "vast-31000001";

const HIRE: &str = r#"
[[step]]
id = "hire"
vast_create = { gpu = "RTX_4090", max_price = 0.5, image = "pytorch/pytorch" }
"#;

const DESTROY: &str = r#"
[[step]]
id = "destroy"
depends_on = ["hire", "train"]
run_if = "always"
vast_destroy = {}
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

#[test]
fn a_run_tells_what_its_machine_cost_and_which_secrets_it_saw() {
    let vast = Rented::vast();
    vast.control(r#"{"raise": {"31000001": 2.0}}"#);
    let doppio = vast.customer();
    doppio.store("huggingface/token", "test_token_of_a_machine");
    let train = r#"
[[step]]
id = "train"
depends_on = ["hire"]
when = "host.gpus.count == 1 and host.gpus.free == 1 and host.cuda >= 12.1 and 'RTX 4090' in host.gpu and host.disk_gb >= 0"
ssh_command = { command = "test -n \"$HF_TOKEN\" && echo trained", env = { HF_TOKEN = "${secret:huggingface/token}" } }
[[step]]
id = "shard"
depends_on = ["hire"]
when = "host.gpus.count > 1"
ssh_command = { command = "echo sharded" }
"#;
    doppio.recipe(&format!("{HIRE}{train}{DESTROY}"));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let said = &ran.stderr;
    assert!(said.contains("trained") && !said.contains("sharded"), "{said}");
    assert!(said.contains(&format!("`{FIRST}` has cost $0.00")) && said.contains(", and is gone"), "{said}");
    let rotate = format!(
        "`{FIRST}` saw 1 secret; if it is not to be trusted with them: `doppio secret rotate huggingface/token`"
    );
    assert!(said.contains(&rotate), "{said}");
    let rises: Vec<&str> = said.lines().filter(|line| line.contains("in place of")).collect();
    assert_eq!(rises.len(), 1, "{said}");
    assert!(rises[0].contains(&format!("the host of `{FIRST}` wants $")), "{said}");

    let shown = json(&doppio.run(["runs", "show", "--json"]).expect(0).stdout);
    assert_eq!(
        (&shown["machines"][0]["gone"], &shown["machines"][0]["per_hour"]),
        (&true.into(), &0.0.into())
    );
    assert!(shown["cost"].as_f64().is_some_and(|cost| cost > 0.0), "{shown:#}");
    assert!(doppio.run(["runs", "show"]).expect(0).stdout.contains(&rotate));
    let listed = doppio.run(["runs", "list"]).expect(0).stdout;
    assert!(listed.contains(", $0.00") && !listed.contains("so far"), "{listed}");
    vast.expect_nothing_rented();
    vast.expect_no_faults();
}

#[test]
fn a_machine_that_is_left_is_told_with_the_command_that_ends_it() {
    let vast = Rented::vast();
    let doppio = vast.customer();
    doppio.recipe(HIRE);
    let end = format!("an hour until it is destroyed: `doppio vast destroy {FIRST}`");
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains(&end), "{}", ran.stderr);
    let shown = doppio.run(["runs", "show"]).expect(0).stdout;
    assert!(shown.contains(&format!("`{FIRST}` has cost $0.00")) && shown.contains(&end), "{shown}");
    let listed = doppio.run(["runs", "list"]).expect(0).stdout;
    assert!(listed.contains(" so far\n") && listed.contains(&end), "{listed}");
    let listed = json(&doppio.run(["runs", "list", "--json"]).expect(0).stdout);
    assert_eq!(
        (&listed["machines"][0]["id"], &listed["machines"][0]["gone"]),
        (&FIRST.into(), &false.into())
    );
}

#[test]
fn the_tree_has_the_sum_so_far() {
    let vast = Rented::vast();
    let doppio = vast.customer().env("TERM", "xterm-256color");
    doppio.recipe(&format!("{HIRE}{DESTROY}").replace(", \"train\"", ""));
    let (code, shown) = doppio.at_terminal(&["run", "recipe.toml"], &[]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains(", $0.00 so far"), "{shown}");
}

#[test]
fn a_machine_that_is_taken_away_is_told_and_costs_its_disk_only() {
    let vast = Rented::vast();
    let doppio = vast.customer();
    let hire = HIRE.replace("max_price = 0.5", "bid = 0.3");
    let train =
        "[[step]]\nid = \"train\"\ndepends_on = [\"hire\"]\nssh_command = { command = \"sleep 1000\" }\n";
    doppio.recipe(&format!("{hire}{train}"));
    let child = doppio.command(["run", "recipe.toml"]).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the training", || vast.processes().iter().any(|line| line.contains("sleep 1000")));
    vast.happens("preempt", "31000001");
    let ran = Ran::of(&child.wait_with_output().unwrap());
    let said = &ran.stderr;
    assert!(said.contains(&format!("`{FIRST}` is stopped, as happens when somebody bids more")), "{said}");
    assert!(said.contains(&format!("`{FIRST}` is stopped; its disk costs $0.")), "{said}");
    assert!(
        said.contains("an hour until it is destroyed") && !said.contains("may still be running"),
        "{said}"
    );
}

#[test]
fn a_machine_without_what_the_target_asks_for_is_destroyed() {
    let vast = Rented::vast();
    vast.control(r#"{"machine": {"gpus": [["NVIDIA GeForce RTX 3090", 24576, "550.54.15"]]}}"#);
    let doppio = vast.customer();
    doppio.recipe(&format!("[target]\ngpu_type = \"RTX_4090\"\nmax_price = 0.5\n{HIRE}"));
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0).stdout;
    assert!(plan.contains("RTX_4090, at most $0.5 an hour\n"), "{plan}");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let error = ran.stderr.split_once("error: ").expect("an error").1;
    insta::assert_snapshot!(error, @r#"
    step `hire` failed: `vast-31000001` does not have what `[target]` asks for
      cause: `gpu_type = "RTX_4090"`: it has 1 × NVIDIA GeForce RTX 3090 (25.8 GB)

    hint: hire another machine, or change `[target]` in the recipe
    "#);
    assert!(ran.stderr.contains(&format!("`{FIRST}` was destroyed")), "{}", ran.stderr);
    vast.expect_nothing_rented();
    vast.expect_no_faults();
}

#[test]
fn a_start_script_that_is_too_long_hires_nothing() {
    let vast = Rented::vast();
    let doppio = vast.customer();
    doppio.file("long", "x".repeat(4090));
    let recipe = r#"
[[step]]
id = "text"
local_command = { command = "cat long", capture_output = "long" }
[[step]]
id = "hire"
depends_on = ["text"]
vast_create = { gpu = "RTX_4090", image = "pytorch/pytorch", onstart = "${long}" }
"#;
    doppio.recipe(recipe);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(
        ran.stderr.contains("`onstart` has 4090 bytes, and with the 22 bytes of doppio's own"),
        "{}",
        ran.stderr
    );
    let requests = vast.state()["requests"].to_string();
    assert!(!requests.contains("/asks/"), "{requests}");
    let long = format!("onstart = \"{}\", image = ", "x".repeat(4096));
    doppio.recipe(&HIRE.replace("image = ", &long));
    let checked = doppio.run(["check", "recipe.toml"]).expect(2);
    assert!(checked.stderr.contains("that is more than the 4096 that vast.ai takes"), "{}", checked.stderr);
}
