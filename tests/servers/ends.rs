//! How steps on a host end when the connection, the server or Doppio itself stands still.

use std::fs;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::is_alive;
use doppio_test_support::send;
use doppio_test_support::wait_for;
use doppio_test_support::wait_for_line;
use doppio_test_support::wait_until;

use crate::support::frozen::Frozen;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::tinyssh::TinySsh;

/// A machine that knows the server as `box`.
fn machine(server: &Sshd, more: &str) -> Doppio {
    let doppio = Doppio::new();
    doppio.hosts(&format!("{}{more}", server.hosts_toml("box")));
    doppio
}

/// The lines of a file in the home there.
fn lines(server: &Sshd, file: &str) -> Vec<String> {
    let text = fs::read_to_string(server.home().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until the steps have written this many process ids, and gives them.
fn pids(server: &Sshd, count: usize) -> Vec<String> {
    wait_for("the step to run", || lines(server, "pids").len() >= count);
    lines(server, "pids")
}

/// The journals of all runs.
fn journal(doppio: &Doppio) -> String {
    let runs = fs::read_dir(doppio.doppio_home().join("runs")).into_iter().flatten();
    let paths = runs.flatten().map(|run| run.path().join("journal.jsonl"));
    paths.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// Waits for the end of a Doppio, which comes by itself.
fn ended(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().unwrap())
}

/// A step that notes itself, and every process of an attempt before that still runs.
const STEP: &str = r#"
[[step]]
id = "train"
MORE
ssh_command = { host_id = "box", command = """
for p in $(cat pids 2>/dev/null); do
  if grep -qs '^State:[[:space:]]*[A-WY]' /proc/$p/status; then echo $p >> overlaps; fi
done
echo $$ >> pids
LAST
""" }
"#;

fn recipe(doppio: &Doppio, more: &str, last: &str) {
    doppio.recipe(&STEP.replace("MORE", more).replace("LAST", last));
}

// case D1
#[test]
fn what_times_out_behind_a_frozen_connection_is_ended_over_another() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server, "");
    recipe(&doppio, "timeout_secs = 3\nretry = { max_attempts = 2, delay_secs = 0 }", "sleep 300");
    let child = doppio.start(["run", "recipe.toml"]);
    pids(&server, 1);
    let frozen = Frozen::connections(&server);
    let all = pids(&server, 2);
    let ran = ended(child).expect(1);
    drop(frozen);
    assert!(ran.stderr.contains("timed out; trying again"), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: step `train` failed on `box`: timed out"), "{}", ran.stderr);
    assert_eq!(lines(&server, "overlaps"), [""; 0], "two attempts ran beside each other");
    assert!(!all.iter().any(|pid| server.has_process(pid)), "nothing is left");
}

// case D2
#[test]
fn an_interrupt_ends_what_runs_behind_a_frozen_connection() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server, "");
    recipe(&doppio, "", "sleep 300");
    let child = doppio.start(["run", "recipe.toml"]);
    let pids = pids(&server, 1);
    let _frozen = Frozen::connections(&server);
    send(&child, Signal::INT);
    let ran = ended(child).expect(130);
    assert!(ran.stderr.contains("train ✗ cancelled after"), "{}", ran.stderr);
    assert!(!server.has_process(&pids[0]), "it is gone");
}

/// Runs a command that Doppio showed, as a person does, without a question.
fn typed(command: &str) -> Output {
    let command = command.replacen("ssh ", "ssh -F none -o BatchMode=yes -o IdentityAgent=none ", 1);
    Command::new("sh").args(["-c", &command]).output().unwrap()
}

/// The rest of the line that follows these words.
fn after<'a>(text: &'a str, words: &str) -> &'a str {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no `{words}` in:\n{text}"));
    rest.lines().next().unwrap_or_default()
}

// case D1
// case D5
#[test]
fn what_cannot_be_stopped_is_lost_and_named_with_commands_that_work() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server, "connect_timeout_secs = 2\n");
    recipe(&doppio, "timeout_secs = 3\nretry = { max_attempts = 3, delay_secs = 0 }", "sleep 300");
    let child = doppio.start(["run", "recipe.toml"]);
    let pid = pids(&server, 1).remove(0);
    let frozen = Frozen::whole(&server);
    let ran = ended(child).expect(1);
    drop(frozen);
    assert!(
        ran.stderr.contains("error: step `train` is lost on `box`: its end is not known"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(&format!("process {pid} on `box` may still be running")), "{}", ran.stderr);
    assert_eq!(lines(&server, "pids").len(), 1, "it was not launched again");
    assert!(server.has_process(&pid));

    let show = doppio.run(["runs", "show"]).expect(0).stdout;
    for text in [&ran.stderr, &show] {
        let look = typed(after(text, "look whether it is: "));
        let seen = String::from_utf8_lossy(&look.stdout).into_owned();
        assert!(look.status.success() && seen.contains(&pid), "{look:?}");
    }
    let end = typed(after(&show, "end it: "));
    assert!(end.status.success(), "{end:?}");
    wait_for("the process to end", || !server.has_process(&pid));
}

// case D1
#[test]
fn an_idempotent_step_is_launched_again_once_the_old_one_is_ended() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server, "connect_timeout_secs = 2\n");
    let more = "idempotent = true\ntimeout_secs = 3\nretry = { max_attempts = 9, delay_secs = 1 }";
    recipe(&doppio, more, "[ $(wc -l < pids) -ge 2 ] || sleep 300");
    let child = doppio.start(["run", "recipe.toml"]);
    let pid = pids(&server, 1).remove(0);
    let frozen = Frozen::whole(&server);
    wait_for("the first attempt to be lost", || journal(&doppio).contains("step_retrying"));
    assert!(server.has_process(&pid));
    drop(frozen);
    let ran = ended(child).expect(0);
    assert_eq!(lines(&server, "pids").len(), 2, "{}", ran.stderr);
    assert_eq!(lines(&server, "overlaps"), [""; 0], "{}", ran.stderr);
    assert!(!server.has_process(&pid));
}

// case D4
#[test]
fn an_end_that_came_while_doppio_was_stopped_wins_over_its_deadline() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server, "");
    recipe(
        &doppio,
        "timeout_secs = 3\nretry = { max_attempts = 2, delay_secs = 0 }",
        "sleep 1; echo done >> effects",
    );
    let child = doppio.start(["run", "recipe.toml"]);
    pids(&server, 1);
    send(&child, Signal::STOP);
    let stopped = Instant::now();
    wait_for("the effect, and the deadline", || {
        lines(&server, "effects").len() == 1 && stopped.elapsed() > Duration::from_secs(6)
    });
    send(&child, Signal::CONT);
    let ran = ended(child).expect(0);
    assert_eq!(lines(&server, "effects").len(), 1, "{}", ran.stderr);
}

// case H4
#[test]
fn what_is_left_of_a_channel_that_the_server_closed_is_ended() {
    let server = Sshd::builder(Variant::Stock).line("ChannelTimeout session:command=2").start();
    let doppio = machine(&server, "");
    recipe(&doppio, "", "(echo $BASHPID >> pids; exec sleep 300) & sleep 300; true");
    let child = doppio.start(["run", "recipe.toml"]);
    let pids = pids(&server, 2);
    let ran = ended(child).expect(1);
    assert!(ran.stderr.contains("what was left of it has been ended"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("may still be running"), "{}", ran.stderr);
    assert!(!pids.iter().any(|pid| server.has_process(pid)), "{}", ran.stderr);
}

// case H1
#[test]
fn a_server_that_hangs_up_at_each_channel_is_tried_a_few_times() {
    let server = Sshd::builder(Variant::Stock).line("PermitRootLogin forced-commands-only").start();
    let doppio = machine(&server, "");
    let step = |id: &str| {
        format!("[[step]]\nid = \"{id}\"\nssh_command = {{ host_id = \"box\", command = \"true\" }}\n")
    };
    doppio.recipe(&[step("a"), step("b"), step("c")].concat());
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    let connections = server.log().matches("Connection from").count();
    assert!((2..=6).contains(&connections), "{connections} connections:\n{}", ran.stderr);
    assert!(ran.stderr.contains("no command could be started on `box`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: see what the server does with a command: ssh -p"), "{}", ran.stderr);
}

/// Three steps that must run at the same time: each waits for the two others.
const THREE: &str = r#"
[[step]]
id = "part"
matrix = { n = ["1", "2", "3"] }
ssh_command = { host_id = "box", command = "touch here-${matrix.n}; until [ -e here-1 -a -e here-2 -a -e here-3 ]; do sleep 0.05; done" }
"#;

// case H3
#[test]
fn steps_run_side_by_side_where_a_connection_has_one_channel() {
    let server = Sshd::builder(Variant::Stock).line("MaxSessions 1").start();
    let doppio = machine(&server, "");
    doppio.recipe(THREE);
    doppio.run(["run", "recipe.toml"]).expect(0);
}

// case H3
#[test]
fn steps_run_side_by_side_on_tinyssh() {
    let server = TinySsh::start();
    let doppio = Doppio::new();
    doppio.hosts(&server.hosts_toml("box"));
    doppio.recipe(THREE);
    doppio.run(["run", "recipe.toml"]).expect(0);
    wait_until(|| server.home().join("here-3").exists(), || "the steps ran elsewhere".to_owned());
}

// case D10
#[test]
fn a_disk_that_is_full_for_a_while_loses_output_only_and_says_so() {
    let doppio = Doppio::new();
    let home = doppio.doppio_home().display().to_string();
    let project = doppio.folder().join("project").display().to_string();
    let numbers = (0..40).map(|number| format!("\"{number}\"")).collect::<Vec<_>>().join(", ");
    doppio.recipe(&format!(
        r#"
[[step]]
id = "fill"
local_command = {{ command = "head -c 4M /dev/zero > {home}/filler 2>/dev/null || true" }}
[[step]]
id = "talk"
depends_on = ["fill"]
local_command = {{ command = "echo early; until [ -e free ]; do sleep 0.05; done; echo late", workdir = "{project}" }}
[[step]]
id = "many"
depends_on = ["fill"]
matrix = {{ n = [{numbers}] }}
local_command = {{ command = "true" }}
[[step]]
id = "free"
depends_on = ["many"]
local_command = {{ command = "rm {home}/filler; touch {project}/free" }}
[[step]]
id = "after"
depends_on = ["talk"]
local_command = {{ command = "echo after" }}
"#
    ));
    // Its state is a small disk that only this Doppio and those after it see.
    let doppio_itself = doppio.command([""; 0]);
    let binary = doppio_itself.get_program().to_string_lossy().into_owned();
    let line = format!(
        "mount -t tmpfs -o size=1M tmpfs {home} && {binary} run recipe.toml; echo code $?; {binary} runs show; {binary} runs logs --step talk; {binary} runs logs --step after"
    );
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", &line])
        .env_clear()
        .envs(doppio_itself.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(&project)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("can't write the journal for the time being"), "{said}");
    assert_eq!(said.matches("can't write the journal").count(), 1, "it is said once: {said}");
    assert!(found.starts_with("code 0\nrun `"), "{found}\n{said}");
    for step in ["fill", "talk", "many[n=0]", "many[n=39]", "free", "after"] {
        assert!(found.contains(&format!("success  {step}")), "{found}\n{said}");
    }
    assert!(
        found.contains("--- 6 bytes are missing here: they could not be written ---\nlate\nafter\n"),
        "{found}\n{said}"
    );
    assert!(said.contains("log of step `talk`: 6 bytes could not be written"), "{said}");
}

// case D5
#[test]
fn what_a_killed_doppio_left_is_named_with_commands_that_work() {
    let doppio = Doppio::new();
    let file = doppio.folder().join("project/pids");
    doppio.recipe(&format!(
        "[[step]]\nid = \"long\"\nlocal_command = {{ command = \"echo $$ >> {}; sleep 300\" }}\n",
        file.display()
    ));
    let mut child = doppio.start(["run", "recipe.toml"]);
    let pid = wait_for_line(&file);
    wait_for("the journal to know it", || journal(&doppio).contains("step_launched"));
    child.kill().unwrap();
    child.wait().unwrap();
    let show = doppio.run(["runs", "show"]).expect(0).stdout;
    assert!(show.contains(&format!("process {pid} may still be running")), "{show}");
    let look = String::from_utf8(typed(after(&show, "look whether it is: ")).stdout).unwrap();
    assert!(look.contains(&pid) && look.contains("sleep 300"), "{look}");
    assert!(typed(after(&show, "end it: ")).status.success());
    wait_for("the process to end", || !is_alive(&pid));
}
