//! What would stop a run before its first step: a run says so at once, and a plan counts it.

use doppio_test_support::Doppio;

const RECIPE: &str = r#"
[[step]]
id = "train"
local_command = { command = "echo trained > trained" }
[[step]]
id = "upload"
depends_on = ["train"]
ssh_command = { host_id = "bxo", command = "true" }
"#;

fn world(recipe: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts("[hosts.box]\nhostname = \"127.0.0.1\"\nport = 9\nuser = \"root\"\n");
    doppio.recipe(recipe);
    doppio
}

// case F3
#[test]
fn a_host_that_is_not_to_be_found_stops_the_run_before_its_first_step() {
    let doppio = world(RECIPE);
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("unknown host `bxo`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("a similar name exists: `box`"), "{}", ran.stderr);
    assert!(!doppio.folder().join("project/trained").exists(), "nothing has run");
    let both =
        format!("{RECIPE}[[step]]\nid = \"b\"\nssh_command = {{ host_id = \"nwhr\", command = \"true\" }}\n");
    let doppio = world(&both);
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("2 hosts can't be found; nothing has run"), "{}", ran.stderr);
}

// case F3
#[test]
fn a_plan_ends_with_3_and_counts_what_would_stop_a_run() {
    let doppio = world(&RECIPE.replace("\"true\"", "\"echo ${secret:no/such}\""));
    let ran = doppio.run(["plan", "recipe.toml"]).expect(3);
    let last = ran.stdout.lines().last().unwrap_or_default();
    assert_eq!(last, "a run would stop before its first step: 1 host, 1 secret");
    let ran = doppio.run(["plan", "recipe.toml", "--json"]).expect(3);
    let page: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(page["stops"], serde_json::json!(["1 host", "1 secret"]));
    doppio.run(["run", "recipe.toml", "--dry-run"]).expect(3);
    let ran = doppio.run(["plan", "recipe.toml", "--only", "train"]).expect(0);
    assert!(!ran.stdout.contains("would stop"), "{}", ran.stdout);
}

// case F3
#[test]
fn a_host_that_a_step_makes_known_is_named_and_not_looked_up() {
    let recipe = r#"
[[step]]
id = "rent"
local_command = { command = "echo local", capture_output = "machine" }
[[step]]
id = "train"
depends_on = ["rent"]
ssh_command = { host_id = "${machine}", command = "echo trained" }
"#;
    let doppio = world(recipe);
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0);
    assert!(plan.stdout.contains("   ${machine}  known when step `train` starts\n"), "{}", plan.stdout);
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("trained"), "{}", ran.stderr);
}

// case F3
#[test]
fn a_host_that_a_step_waits_for_need_not_be_there_yet() {
    let recipe = r#"
[[step]]
id = "make"
local_command = { command = "touch made" }
[[step]]
id = "wait"
depends_on = ["make"]
wait_condition = { condition = { host_online = { host_id = "vm.invalid" } }, timeout_secs = 0 }
"#;
    let doppio = world(recipe);
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0);
    assert!(
        plan.stdout.contains("   vm.invalid  not to be found yet; step `wait` waits for it\n"),
        "{}",
        plan.stdout
    );
    doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(doppio.folder().join("project/made").exists());
}

// case F2
#[test]
fn the_sandbox_is_the_target() {
    let doppio = world("[[step]]\nid = \"a\"\nssh_command = { command = \"echo on ${target}\" }\n");
    let ran = doppio.run(["run", "recipe.toml", "--sandbox"]).expect(0);
    assert!(ran.stderr.contains("on sandbox"), "{}", ran.stderr);
    doppio.run(["plan", "recipe.toml", "--sandbox"]).expect(0);
    // Another name for it.
    let ran = doppio.run(["run", "recipe.toml", "--sandbox", "--host", "gpu"]).expect(0);
    assert!(ran.stderr.contains("on gpu"), "{}", ran.stderr);
}
