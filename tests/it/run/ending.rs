//! How a run ends early: interrupts, deadlines; nothing of a step is left.

use std::io::BufRead;
use std::io::BufReader;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::is_alive;
use doppio_test_support::send;
use doppio_test_support::wait_for;

/// The process ids that a step wrote to a file, once there are `count`.
fn pids(doppio: &Doppio, file: &str, count: usize) -> Vec<String> {
    let path = doppio.folder().join("project").join(file);
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    wait_for(file, || read().lines().count() >= count);
    read().lines().map(str::to_owned).collect()
}

const TREE: &str = r#"
[[step]]
id = "long"
local_command = { command = "trap 'exit 9' INT; (echo $BASHPID >> PIDS; sleep 300) & echo $$ >> PIDS; sleep 300" }
[[step]]
id = "next"
depends_on = ["long"]
local_command = { command = "echo next" }
[[step]]
id = "stop"
depends_on = ["next"]
run_if = "always"
local_command = { command = "echo stopped" }
"#;

fn tree(doppio: &Doppio) {
    doppio.recipe(&TREE.replace("PIDS", &doppio.folder().join("project/pids").display().to_string()));
}

#[test]
fn one_interrupt_stops_the_whole_tree_and_runs_the_always_steps() {
    for (sent, reason) in
        [(Signal::INT, "interrupted"), (Signal::TERM, "terminated"), (Signal::HUP, "the terminal was closed")]
    {
        let doppio = Doppio::new();
        tree(&doppio);
        let child = doppio.start(["run", "recipe.toml"]);
        let pids = pids(&doppio, "pids", 2);
        send(&child, sent);
        let ran = Ran::of(&child.wait_with_output().unwrap()).expect(130);
        assert!(ran.stderr.contains(&format!("{reason}: stopping what runs")), "{}", ran.stderr);
        assert!(ran.stderr.contains("long ✗ cancelled"), "{}", ran.stderr);
        assert!(ran.stderr.contains("next ⊘ cancelled"), "{}", ran.stderr);
        assert!(ran.stderr.contains("stop | stopped\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error: the run was cancelled: {reason}")), "{}", ran.stderr);
        assert_eq!(pids.iter().filter(|pid| is_alive(pid)).count(), 0, "nothing is left");
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_says_what_is_left() {
    let doppio = Doppio::new();
    let file = doppio.folder().join("project/pids");
    doppio.recipe(&format!(
        r#"
[[step]]
id = "deaf"
local_command = {{ command = "trap '' TERM INT HUP; echo $$ >> {}; while :; do sleep 1; done" }}
[[step]]
id = "stop"
depends_on = ["deaf"]
run_if = "always"
local_command = {{ command = "echo stopped" }}
"#,
        file.display()
    ));
    let mut child = doppio.start(["run", "recipe.toml"]);
    let pids = pids(&doppio, "pids", 1);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    send(&child, Signal::INT);
    let mut seen = String::new();
    while !seen.contains("stopping what runs") {
        seen += &(stderr.next().expect("more lines").unwrap() + "\n");
    }
    send(&child, Signal::INT);
    for line in stderr {
        seen += &(line.unwrap() + "\n");
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{seen}");
    assert!(seen.contains("step `deaf` was not waited for"), "{seen}");
    assert!(seen.contains("step `stop` should always run, but did not"), "{seen}");
    let show = doppio.run(["runs", "show"]).expect(0).stdout;
    assert!(show.contains("lost       deaf"), "{show}");
    for pid in pids {
        if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::KILL).ok();
        }
    }
}

#[test]
fn a_deadline_ends_the_whole_tree() {
    let doppio = Doppio::new();
    doppio.recipe(
        &TREE.replace("PIDS", &doppio.folder().join("project/pids").display().to_string()).replacen(
            "id = \"long\"",
            "id = \"long\"\ntimeout_secs = 1",
            1,
        ),
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(ran.stderr.contains("error: step `long` failed: timed out\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("stop | stopped\n"), "{}", ran.stderr);
    assert_eq!(pids(&doppio, "pids", 2).iter().filter(|pid| is_alive(pid)).count(), 0);
}

// case F11
#[test]
fn a_wait_that_times_out_says_what_it_waited_for() {
    let doppio = Doppio::new();
    doppio.recipe(
        "[[step]]\nid = \"long\"\ntimeout_secs = 1\n\
         wait_condition = { host_id = \"local\", condition = { file_exists = { path = \"/nowhere/done\" } } }\n",
    );
    let said = doppio.run(["run", "recipe.toml"]).expect(1).stderr;
    assert!(said.contains("error: step `long` failed: timed out\n"), "{said}");
    assert!(said.contains("cause: it was waiting for ") && said.contains("/nowhere/done"), "{said}");
    assert!(said.contains("hint: give it longer with `timeout_secs`"), "{said}");
}

// case D3
#[test]
fn nothing_starts_while_a_step_before_it_still_ends() {
    let doppio = Doppio::new();
    let folder = doppio.folder().join("project").display().to_string();
    doppio.recipe(&format!(
        r#"
[[step]]
id = "fetch"
local_command = {{ command = "trap 'sleep 1; echo fetch >> {folder}/order; exit 1' TERM; echo $$ >> {folder}/pids; while :; do sleep 0.05; done" }}
[[step]]
id = "train"
depends_on = ["fetch"]
local_command = {{ command = "true" }}
[[step]]
id = "tidy"
depends_on = ["train"]
run_if = "always"
local_command = {{ command = "echo tidy >> {folder}/order" }}
"#
    ));
    let child = doppio.start(["run", "recipe.toml"]);
    pids(&doppio, "pids", 1);
    send(&child, Signal::INT);
    Ran::of(&child.wait_with_output().unwrap()).expect(130);
    let order = std::fs::read_to_string(doppio.folder().join("project/order")).unwrap();
    assert_eq!(order, "fetch\ntidy\n");
}
