//! `doppio run` and `doppio runs` through the real binary, with steps on this machine.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::time::Duration;
use std::time::Instant;

use regex::Regex;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use serde_json::Value;

use crate::support::doppio::Doppio;
use crate::support::doppio::Ran;

/// A recipe of these steps, as `work/recipe.toml`.
fn recipe(doppio: &Doppio, steps: &str) {
    doppio.file("recipe.toml", format!("[recipe]\nname = \"test\"\n{steps}"));
}

/// Text without what differs from run to run: ids, times, folders.
fn settled(doppio: &Doppio, text: &str) -> String {
    let text = doppio.settled(text);
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

/// Waits until `done`, or fails the test.
#[track_caller]
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("the process can be signalled");
}

/// Whether a process is there and no zombie.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The process ids that a step wrote to a file, once there are `count`.
fn pids(doppio: &Doppio, file: &str, count: usize) -> Vec<String> {
    let path = doppio.folder().join("work").join(file);
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    wait_for(file, || read().lines().count() >= count);
    read().lines().map(str::to_owned).collect()
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
fn lines_have_one_prefix_a_step_and_the_end_says_what_to_type() {
    let doppio = Doppio::new();
    recipe(&doppio, FOUR);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert_eq!(ran.stdout, "", "stdout is data");
    let (setup, rest) = ran.stderr.split_once("train >").unwrap();
    // The two streams of one process are two pipes: which comes first is not known.
    let mut setup: Vec<&str> = setup.lines().collect();
    setup[2..].sort_unstable();
    insta::assert_snapshot!(settled(&doppio, &setup.join("\n")), @"
    run `RUN` of `test`: 4 steps
    setup > started
    setup | hello
    setup | no newline
    setup | warn
    setup ✓ done in TIME
    ");
    insta::assert_snapshot!(settled(&doppio, &format!("train >{rest}")), @"
    train > started
    train | epoch 1
    train ✗ failed after TIME: exit code 3
    eval  ⊘ skipped: step `train` failed
    stop  > started
    stop  | stopped
    stop  ✓ done in TIME
    run `RUN`: 2 done, 1 failed, 1 skipped in TIME
    log: WORLD/home/doppio/runs/RUN
    error: step `train` failed: exit code 3

    hint: see all it printed with `doppio runs logs RUN --step train`
    ");
}

#[test]
fn json_is_one_event_a_line_and_nothing_else() {
    let doppio = Doppio::new();
    recipe(&doppio, FOUR);
    let ran = doppio.run(["run", "recipe.toml", "--output", "json"]).expect(1);
    let events = events(&ran);
    assert!(events.iter().all(|event| event["schema"] == 1));
    let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events.last().unwrap()["event"], "run_finished");
    assert_eq!(events.last().unwrap()["status"], "failed");
    assert_eq!(of(&events, "step_finished", "train")[0]["end"]["code"], 3);
    assert_eq!(of(&events, "step_skipped", "eval")[0]["reason"], "step `train` failed");
    let printed: String = of(&events, "step_output", "setup")
        .iter()
        .filter(|event| event["stream"] == "stdout")
        .map(|event| event["text"].as_str().unwrap())
        .collect();
    assert_eq!(printed, "hello\nno newline");
}

#[test]
fn past_runs_can_be_looked_at() {
    let doppio = Doppio::new();
    recipe(&doppio, FOUR);
    let none = doppio.run(["runs", "show"]).expect(2);
    assert!(none.stderr.contains("there are no runs yet"), "{}", none.stderr);
    doppio.run(["run", "recipe.toml"]).expect(1);
    let show = doppio.run(["runs", "show"]).expect(0);
    insta::assert_snapshot!(settled(&doppio, &show.stdout), @"
    run `RUN` of `test`: failed in TIME
      success    setup  TIME, on local
      failed     train  TIME, on local, exit code 3
      skipped    eval   step `train` failed
      success    stop   TIME, on local
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
fn all_missing_secrets_are_named_before_anything_runs() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    recipe(
        &doppio,
        r#"
[[step]]
id = "first"
local_command = { command = "touch ran" }
[[step]]
id = "second"
depends_on = ["first"]
local_command = { command = "true", env = { A = "${secret:team/one}", B = "${secret:team/two}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: 2 secrets can't be had; nothing has run
      cause: secret `team/one` is not set
      cause: secret `team/two` is not set

    hint: run `doppio secret set team/one`
    hint: run `doppio secret set team/two`
    ");
    assert!(!doppio.folder().join("work/ran").exists());
    assert!(!doppio.doppio_home().join("runs").exists());
}

#[test]
fn a_secret_is_masked_everywhere_and_its_way_is_told() {
    let doppio = Doppio::new().env("TEAM_TOKEN", "correct-horse-battery");
    recipe(
        &doppio,
        r#"
[[step]]
id = "leak"
local_command = { command = "echo got $TOKEN; echo again $TOKEN; echo ${secret:team/token}", env = { TOKEN = "${secret:team/token}" }, capture_output = "seen" }
[[step]]
id = "use"
depends_on = ["leak"]
local_command = { command = "printf %s ${seen} | wc -c; printf '%s' ${step.leak.output} | tail -c 8" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("leak | got ***\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("3 outputs of `team/token` were masked in step `leak`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("secret `team/token` went as TOKEN to step `leak`"), "{}", ran.stderr);
    // A captured output with a secret in it is secret, and arrives whole.
    let whole = "got correct-horse-battery\nagain correct-horse-battery\ncorrect-horse-battery".len();
    assert!(ran.stderr.contains(&format!("use  | {whole}\n")), "{}", ran.stderr);
    let named = doppio.run(["run", "recipe.toml", "--mask-names"]).expect(0);
    assert!(named.stderr.contains("leak | got ‹team/token›\n"), "{}", named.stderr);
    let mut folders = vec![doppio.doppio_home()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!bytes.contains("correct-horse"), "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files >= 8, "the journals and logs of two runs were looked at");
}

#[test]
fn values_travel_between_steps() {
    let doppio = Doppio::new();
    recipe(
        &doppio,
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
    assert!(!doppio.folder().join("work/hacked").exists());
    assert!(!doppio.home().join("hacked").exists());
}

#[test]
fn an_attempt_that_fails_is_followed_by_another() {
    let doppio = Doppio::new();
    let count = doppio.folder().join("work/count");
    recipe(
        &doppio,
        &format!(
            r#"
[[step]]
id = "flaky"
retry = {{ max_attempts = 5, delay_secs = 0 }}
local_command = {{ command = "echo x >> {0}; echo try; [ $(wc -l < {0}) -ge 3 ]" }}
"#,
            count.display()
        ),
    );
    let ran = doppio.run(["run", "recipe.toml", "--output", "json"]).expect(0);
    let events = events(&ran);
    assert_eq!(of(&events, "step_retrying", "flaky").len(), 2);
    assert_eq!(of(&events, "step_started", "flaky").len(), 3);
    let log = doppio.run(["runs", "logs", "--step", "flaky"]).expect(0).stdout;
    assert_eq!(log, "try\n--- attempt 2 ---\ntry\n--- attempt 3 ---\ntry\n");
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
    recipe(doppio, &TREE.replace("PIDS", &doppio.folder().join("work/pids").display().to_string()));
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
        signal(&child, sent);
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
    let file = doppio.folder().join("work/pids");
    recipe(
        &doppio,
        &format!(
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
        ),
    );
    let mut child = doppio.start(["run", "recipe.toml"]);
    let pids = pids(&doppio, "pids", 1);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    signal(&child, Signal::INT);
    let mut seen = String::new();
    while !seen.contains("stopping what runs") {
        seen += &(stderr.next().expect("more lines").unwrap() + "\n");
    }
    signal(&child, Signal::INT);
    let begin = Instant::now();
    for line in stderr {
        seen += &(line.unwrap() + "\n");
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{seen}");
    assert!(begin.elapsed() < Duration::from_secs(5), "it ends at once");
    assert!(seen.contains("step `deaf` was not waited for"), "{seen}");
    assert!(seen.contains("step `stop` runs always, and did not run"), "{seen}");
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
    recipe(
        &doppio,
        &TREE.replace("PIDS", &doppio.folder().join("work/pids").display().to_string()).replacen(
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

#[test]
fn steps_run_side_by_side_as_far_as_jobs_go() {
    let doppio = Doppio::new();
    let folder = doppio.folder().join("work").display().to_string();
    // Each waits for the other's file: they must run at the same time.
    let step = |me: &str, other: &str| {
        format!(
            "[[step]]\nid = \"{me}\"\ntimeout_secs = 20\nlocal_command = {{ command = \"touch {folder}/{me}; until [ -e {folder}/{other} ]; do sleep 0.05; done\" }}\n"
        )
    };
    recipe(&doppio, &(step("a", "b") + &step("b", "a")));
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
fn a_reader_who_leaves_ends_nothing_and_is_not_told() {
    let doppio = Doppio::new();
    recipe(&doppio, FOUR);
    let mut child = doppio.start(["run", "recipe.toml", "--output", "json"]);
    drop(child.stdout.take());
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(1);
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("ipe"), "{}", ran.stderr);
    assert!(doppio.run(["runs", "show"]).expect(0).stdout.contains("success    stop"));
}

#[test]
fn a_prompt_without_a_newline_is_shown_while_it_waits() {
    let doppio = Doppio::new();
    let file = doppio.folder().join("work/go");
    recipe(
        &doppio,
        &format!(
            "[[step]]\nid = \"ask\"\ntimeout_secs = 20\nlocal_command = {{ command = \"printf 'Go on? '; until [ -e {} ]; do sleep 0.05; done\" }}\n",
            file.display()
        ),
    );
    let mut child = doppio.start(["run", "recipe.toml", "--output", "json"]);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if line.unwrap().contains("Go on? ") {
            std::fs::write(&file, "").unwrap();
        }
    }
    Ran::of(&child.wait_with_output().unwrap()).expect(0);
}

#[test]
fn much_output_is_kept_whole() {
    let doppio = Doppio::new();
    recipe(&doppio, "[[step]]\nid = \"much\"\nlocal_command = { command = \"seq 1 2000000\" }\n");
    doppio.run(["run", "recipe.toml", "--output", "json"]).expect(0);
    let log = doppio.run(["runs", "logs", "--step", "much"]).expect(0).stdout;
    assert_eq!(log.lines().count(), 2_000_000);
    assert_eq!(log.lines().last(), Some("2000000"));
}

#[test]
fn a_journal_that_can_not_be_begun_stops_the_run() {
    let doppio = Doppio::new();
    recipe(&doppio, FOUR);
    std::fs::write(doppio.doppio_home().join("runs"), "in the way").unwrap();
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("error: can't make `"), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing has run"), "{}", ran.stderr);
}

#[test]
fn a_failure_that_is_allowed_is_no_failure() {
    let doppio = Doppio::new();
    recipe(
        &doppio,
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
    recipe(&doppio, "[[step]]\nid = \"a\"\nlocal_command = { command = \"touch ran\" }\n");
    let ran = doppio.run(["run", "recipe.toml", "--dry-run"]).expect(0);
    assert!(ran.stdout.contains("touch ran"), "{}", ran.stdout);
    assert!(!doppio.home().join("ran").exists() && !doppio.folder().join("work/ran").exists());
    assert!(!doppio.doppio_home().join("runs").exists());
}

#[test]
fn groups_and_matrices_run_as_one() {
    let doppio = Doppio::new();
    recipe(
        &doppio,
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

#[test]
fn an_unknown_host_comes_with_the_lines_to_add() {
    let doppio = Doppio::new();
    recipe(
        &doppio,
        "[[step]]\nid = \"a\"\nssh_command = { host_id = \"gpu.invalid\", command = \"true\" }\n",
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let hint = ran.stderr.split_once("\nhint: ").expect("a hint").1;
    insta::assert_snapshot!(hint, @r#"
    add it to hosts.toml:

    [hosts."gpu.invalid"]
    hostname = "ADDRESS"
    user = "root"

    or write `USER@ADDRESS:PORT` in its place
    "#);
}
