//! `doppio run` and `doppio runs` through the real binary, with steps on this machine.

mod ending;
mod kept;
mod limits;
mod output;
mod secrets;
mod selecting;
mod unread;

use regex::Regex;
use serde_json::Value;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

/// Text without what differs from run to run: ids, times, folders.
fn settled(doppio: &Doppio, text: &str) -> String {
    let text = doppio.settled(text);
    let text = Regex::new(r"\d\d:\d\d:\d\dZ").expect("an expression").replace_all(&text, "CLOCK");
    let text = Regex::new(r"\d{8}-\d{6}-[0-9a-f]{4}").expect("an expression").replace_all(&text, "RUN");
    Regex::new(r"\d+\.\d+ s").expect("an expression").replace_all(&text, "TIME").into_owned()
}

/// The events on stdout.
fn events(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The events of this kind about this step.
fn of<'a>(events: &'a [Value], kind: &str, step: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind && event["step"] == step).collect()
}

const FOUR: &str = r#"
[[step]]
id = "setup"
local_command = { command = "echo hello; echo warn >&2; printf 'no newline'" }
[[step]]
id = "train"
depends_on = ["setup"]
local_command = { command = "echo epoch 1; exit 3" }
[[step]]
id = "eval"
depends_on = ["train"]
local_command = { command = "echo never" }
[[step]]
id = "stop"
depends_on = ["eval"]
run_if = "always"
local_command = { command = "echo stopped" }
"#;

#[test]
fn past_runs_can_be_looked_at() {
    let doppio = Doppio::new();
    doppio.recipe(FOUR);
    let none = doppio.run(["runs", "show"]).expect(2);
    assert!(none.stderr.contains("there are no runs yet"), "{}", none.stderr);
    doppio.run(["run", "recipe.toml"]).expect(1);
    let show = doppio.run(["runs", "show"]).expect(0);
    insta::assert_snapshot!(settled(&doppio, &show.stdout), @"
    run `RUN` of `test`: failed in TIME
      success  setup  TIME, on local
      failed   train  TIME, on local, exit code 3
      skipped  eval   step `train` failed
      success  stop   TIME, on local
    log: WORLD/home/doppio/runs/RUN
    ");
    let list = doppio.run(["runs", "list", "--output", "json"]).expect(0);
    let listed: Value = serde_json::from_str(list.stdout.trim()).unwrap();
    assert_eq!((&listed["status"], &listed["failed"]), (&Value::from("failed"), &Value::from(1)));
    let end = &listed["run"].as_str().unwrap()[16..];
    assert_eq!(doppio.run(["runs", "logs", end, "--step", "train"]).expect(0).stdout, "epoch 1\n");
    let all = doppio.run(["runs", "logs"]).expect(0).stdout;
    assert!(all.contains("train | epoch 1\nstop  | stopped\n"), "{all}");
    let typo = doppio.run(["runs", "logs", "--step", "trian"]).expect(2);
    insta::assert_snapshot!(typo.stderr, @"
    error: the run has no step `trian`

    hint: did you mean `train`?
    ");
    let object: Value =
        serde_json::from_str(&doppio.run(["runs", "show", "--output", "json"]).expect(0).stdout).unwrap();
    assert_eq!(object["steps"][1]["status"], "failed");
    let plan = doppio.doppio_home().join("runs").join(object["run"].as_str().unwrap()).join("plan.json");
    let plan: Value = serde_json::from_slice(&std::fs::read(plan).unwrap()).unwrap();
    assert_eq!(plan["recipe"], "test");
}

#[test]
fn values_travel_between_steps() {
    let doppio = Doppio::new();
    doppio.recipe(
        r#"
[variables]
word = "a b"
[[step]]
id = "make"
local_command = { command = "echo one; echo 'two; touch hacked'", outputs = { first = "^(.*)" } }
[[step]]
id = "set"
depends_on = ["make"]
set_var = { name = "copy", value = "${step.make.output}" }
[[step]]
id = "use"
depends_on = ["set"]
local_command = { command = "echo [${word|q}] [${copy}] [${step.make.outputs.first}] ${step.make.exit_code} ${run.id} ${recipe.name}" }
[[step]]
id = "no"
when = "steps.make.exit_code != 0"
depends_on = ["make"]
local_command = { command = "echo no" }
[[step]]
id = "after"
depends_on = ["no"]
local_command = { command = "echo after" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let text = settled(&doppio, &ran.stderr);
    assert!(text.contains("use   | [a b] [one\n"), "{text}");
    assert!(text.contains("use   | two; touch hacked] [one] 0 RUN test\n"), "{text}");
    assert!(text.contains("no    ⊘ skipped: `when` is false\n"), "{text}");
    assert!(text.contains("after | after\n"), "{text}");
    assert!(!doppio.folder().join("project/hacked").exists());
    assert!(!doppio.home().join("hacked").exists());
}

#[test]
fn an_attempt_that_fails_is_followed_by_another() {
    let doppio = Doppio::new();
    let count = doppio.folder().join("project/count");
    doppio.recipe(&format!(
        r#"
[[step]]
id = "flaky"
retry = {{ max_attempts = 5, delay_secs = 0 }}
local_command = {{ command = "echo x >> {0}; echo try; [ $(wc -l < {0}) -ge 3 ]" }}
"#,
        count.display()
    ));
    let ran = doppio.run(["run", "recipe.toml", "--output", "json"]).expect(0);
    let events = events(&ran);
    assert_eq!(of(&events, "step_retrying", "flaky").len(), 2);
    assert_eq!(of(&events, "step_started", "flaky").len(), 3);
    let log = doppio.run(["runs", "logs", "--step", "flaky"]).expect(0).stdout;
    assert_eq!(log, "try\n--- attempt 2 ---\ntry\n--- attempt 3 ---\ntry\n");
}

#[test]
fn steps_run_side_by_side_as_far_as_jobs_go() {
    let doppio = Doppio::new();
    let folder = doppio.folder().join("project").display().to_string();
    // Each waits for the other's file: they must run at the same time.
    let step = |me: &str, other: &str| {
        format!(
            "[[step]]\nid = \"{me}\"\ntimeout_secs = 20\nlocal_command = {{ command = \"touch {folder}/{me}; until [ -e {folder}/{other} ]; do sleep 0.05; done\" }}\n"
        )
    };
    doppio.recipe(&(step("a", "b") + &step("b", "a")));
    doppio.run(["run", "recipe.toml"]).expect(0);
    let ran = doppio.run(["run", "recipe.toml", "--jobs", "1", "--output", "json"]).expect(0);
    let mut running = 0;
    for event in events(&ran) {
        match event["event"].as_str() {
            Some("step_started") => running += 1,
            Some("step_finished") => running -= 1,
            _ => {}
        }
        assert!(running <= 1, "one at a time");
    }
}

#[test]
fn a_journal_that_can_not_be_begun_stops_the_run() {
    let doppio = Doppio::new();
    doppio.recipe(FOUR);
    std::fs::write(doppio.doppio_home().join("runs"), "in the way").unwrap();
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("error: can't make `"), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing has run"), "{}", ran.stderr);
}

#[test]
fn a_failure_that_is_allowed_is_no_failure() {
    let doppio = Doppio::new();
    doppio.recipe(
        "[[step]]\nid = \"a\"\ncontinue_on_failure = true\nlocal_command = { command = \"exit 4\" }\n\
         [[step]]\nid = \"b\"\ndepends_on = [\"a\"]\nlocal_command = { command = \"true\" }\n",
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("1 done, 1 failed"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_runs_nothing() {
    let doppio = Doppio::new();
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"touch ran\" }\n");
    let ran = doppio.run(["run", "recipe.toml", "--dry-run"]).expect(0);
    assert!(ran.stdout.contains("touch ran"), "{}", ran.stdout);
    assert!(!doppio.home().join("ran").exists() && !doppio.folder().join("project/ran").exists());
    assert!(!doppio.doppio_home().join("runs").exists());
}

#[test]
fn groups_and_matrices_run_as_one() {
    let doppio = Doppio::new();
    doppio.recipe(
        r#"
[[step]]
id = "sweep"
matrix = { lr = ["1e-3", "1e-4"] }
local_command = { command = "echo lr ${matrix.lr}" }
[[step]]
id = "all"
depends_on = ["sweep"]
group = { mode = "sequential", steps = ["one", "two"] }
[[step]]
id = "one"
local_command = { command = "echo one" }
[[step]]
id = "two"
local_command = { command = "echo two" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml", "--output", "json"]).expect(0);
    let events = events(&ran);
    let place = |kind: &str, step: &str| {
        events.iter().position(|event| event["event"] == kind && event["step"] == step).unwrap()
    };
    assert!(place("step_finished", "sweep[lr=1e-3]") < place("step_finished", "sweep"));
    assert!(place("step_finished", "sweep[lr=1e-4]") < place("step_finished", "sweep"));
    assert!(place("step_finished", "sweep") < place("step_started", "one"));
    assert!(place("step_finished", "one") < place("step_started", "two"));
    assert!(place("step_finished", "two") < place("step_finished", "all"));
    let log = doppio.run(["runs", "logs", "--step", "sweep[lr=1e-4]"]).expect(0).stdout;
    assert_eq!(log, "lr 1e-4\n");
}

// case F12
#[test]
fn an_unknown_host_comes_with_the_command_that_adds_it() {
    let doppio = Doppio::new();
    doppio.recipe("[[step]]\nid = \"a\"\nssh_command = { host_id = \"gpu.invalid\", command = \"true\" }\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let hint = ran.stderr.split_once("\nhint: ").expect("a hint").1;
    insta::assert_snapshot!(doppio.settled(hint), @r#"
    add it to WORLD/home/doppio/hosts.toml with `doppio host add gpu.invalid 'ssh -p PORT USER@ADDRESS'`, or write `USER@ADDRESS:PORT` in its place
    "#);
}

#[test]
fn a_secret_that_is_not_set_is_not_said_to_be_delivered() {
    let doppio = Doppio::new().env("TEAM_TOKEN", "correct-horse-battery").env("DOPPIO_KEYRING", "off");
    doppio.recipe(
        r#"
[[step]]
id = "a"
local_command = { command = "echo ${#PROXY} $PROXY", env = { PROXY = "${secret:team/proxy?}", TOKEN = "${secret:team/token?none}", BOTH = "${secret:team/token}@${secret:team/proxy?example.com}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let said: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("secret ")).collect();
    insta::assert_snapshot!(said.join("\n"), @"
        secret `team/proxy` is not set: its default was sent as PROXY to step `a` (local environment)
        secret `team/token` went as BOTH to step `a` (local environment)
        secret `team/token` went as TOKEN to step `a` (local environment)
        ");
    let show = doppio.run(["runs", "show"]).expect(0).stdout;
    let said: Vec<&str> = show.lines().filter(|line| line.contains("secret ")).collect();
    insta::assert_snapshot!(said.join("\n"), @"
        secret `team/token` went as BOTH (local environment)
        secret `team/proxy` is not set: its default was sent as PROXY (local environment)
        secret `team/token` went as TOKEN (local environment)
        ");
}

#[test]
fn counts_of_steps_add_up() {
    let doppio = Doppio::new();
    doppio.recipe(
        r#"
[[step]]
id = "sweep"
matrix = { lr = ["1e-3", "1e-4"] }
local_command = { command = "true" }
[[step]]
id = "all"
depends_on = ["sweep"]
group = { steps = ["one"] }
[[step]]
id = "one"
local_command = { command = "true" }
"#,
    );
    let check = doppio.run(["check", "recipe.toml"]).expect(0).stderr;
    assert_eq!(check, "recipe.toml: 3 steps, no faults\n");
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0).stdout;
    assert_eq!(plan.lines().next(), Some("test: 3 steps and 2 that expand to several"));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0).stderr;
    let ran = settled(&doppio, &ran);
    let said: Vec<&str> = ran.lines().filter(|line| line.starts_with("run ")).collect();
    assert_eq!(said, ["run `RUN` of `test`: 3 steps", "run `RUN`: 3 done in TIME"]);
    let list = doppio.run(["runs", "list"]).expect(0).stdout;
    assert!(list.ends_with("test (3/3)\n"), "{list}");
}

#[test]
fn the_sandbox_is_a_new_one_each_time_and_leaves_no_host_key() {
    let doppio = Doppio::new();
    doppio.recipe("[[step]]\nid = \"a\"\nssh_command = { command = \"echo there\" }\n");
    for arguments in [["--host", "sandbox"], ["--host", "sandbox"], ["--host=gpu", "--sandbox"]] {
        let ran = doppio.run(["run", "recipe.toml"].into_iter().chain(arguments)).expect(0);
        assert!(ran.stderr.contains("a | there\n"), "{}", ran.stderr);
    }
    assert!(!doppio.doppio_home().join("known_hosts").exists());
}
