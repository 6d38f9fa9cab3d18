//! The journal when Doppio is killed, and when the file is cut.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use doppio_test_support::Doppio;

const SAMPLE: &str = r#"
[recipe]
name = "sample"
[[step]]
id = "a"
local_command = { command = "echo a; sleep 0.1" }
[[step]]
id = "b"
local_command = { command = "echo b; sleep 0.2" }
[[step]]
id = "c"
depends_on = ["a"]
retry = { max_attempts = 2, delay_secs = 0 }
continue_on_failure = true
local_command = { command = "sleep 0.1; exit 1" }
[[step]]
id = "d"
depends_on = ["b"]
when = "steps.b.exit_code != 0"
local_command = { command = "true" }
[[step]]
id = "e"
depends_on = ["c", "d"]
local_command = { command = "sleep 0.1" }
"#;

/// The journal of the only run.
fn journal(doppio: &Doppio) -> Option<PathBuf> {
    let mut runs = fs::read_dir(doppio.doppio_home().join("runs")).ok()?;
    let run = runs.find_map(Result::ok)?;
    Some(run.path().join("journal.jsonl"))
}

fn lines(doppio: &Doppio) -> usize {
    journal(doppio)
        .and_then(|path| fs::read_to_string(path).ok())
        .map_or(0, |text| text.matches('\n').count())
}

/// What the journal's own lines say of a step: started and not ended, ended how, or neither.
fn told(events: &[Value], step: &str) -> String {
    let mut status = "pending".to_owned();
    for event in events.iter().filter(|event| event["step"] == step) {
        match event["event"].as_str().expect("a kind") {
            "step_waiting" => "waiting".clone_into(&mut status),
            "step_started" => "lost".clone_into(&mut status),
            "step_retrying" => "retrying".clone_into(&mut status),
            "step_finished" => event["status"].as_str().expect("a status").clone_into(&mut status),
            "step_skipped" => "skipped".clone_into(&mut status),
            _ => {}
        }
    }
    status
}

fn show(doppio: &Doppio) -> Value {
    let ran = doppio.run(["runs", "show", "--output", "json"]).expect(0);
    assert_eq!(ran.stderr, "", "no line is passed over");
    serde_json::from_str(&ran.stdout).expect("an object")
}

#[test]
fn killed_at_any_event_the_journal_tells_the_truth() {
    let whole = Doppio::new();
    whole.file("recipe.toml", SAMPLE);
    whole.run(["run", "recipe.toml"]).expect(0);
    let all = lines(&whole);
    assert!(all >= 18, "{all} events");
    for at in 1..=all {
        let doppio = Doppio::new();
        doppio.file("recipe.toml", SAMPLE);
        let mut child = doppio.start(["run", "recipe.toml"]);
        let deadline = Instant::now() + Duration::from_secs(30);
        while lines(&doppio) < at {
            assert!(Instant::now() < deadline, "event {at} never came");
            std::thread::sleep(Duration::from_micros(200));
        }
        let shown = show(&doppio)["status"].clone();
        // It may have ended since; it is not called dead.
        assert!(shown == "running" || shown == "success", "{shown}, {at} events are there");
        child.kill().expect("it can be killed");
        child.wait().expect("it is over");

        let text = fs::read_to_string(journal(&doppio).unwrap()).unwrap();
        let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(events.len() >= at, "every event that was seen is there");
        let shown = show(&doppio);
        let is_over = events.last().unwrap()["event"] == "run_finished";
        assert_eq!(shown["status"], if is_over { "success" } else { "interrupted" }, "killed at {at}");
        for step in shown["steps"].as_array().unwrap() {
            let id = step["id"].as_str().unwrap();
            assert_eq!(step["status"], *told(&events, id), "step `{id}`, killed at {at}");
        }
    }
}

#[test]
fn cut_anywhere_the_journal_is_readable() {
    let doppio = Doppio::new();
    doppio.file("recipe.toml", SAMPLE);
    doppio.run(["run", "recipe.toml"]).expect(0);
    let path = journal(&doppio).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut known = 0;
    // Every byte is cut at in the reader's own tests; here it is every 37th, through the binary.
    for end in (0..whole.len()).step_by(37) {
        fs::write(&path, &whole[..end]).unwrap();
        let shown = show(&doppio);
        assert_eq!(shown["status"], "interrupted");
        let steps = shown["steps"].as_array().unwrap();
        let over = steps
            .iter()
            .filter(|step| ["success", "failed", "skipped"].contains(&step["status"].as_str().unwrap()))
            .count();
        assert!(over >= known, "cut at {end}: nothing is unsaid by more text");
        known = over;
        assert!(steps.iter().all(|step| step["status"] != "running"));
    }
    assert_eq!(known, 5);
}

#[test]
fn lines_that_are_no_events_are_said_and_passed_over() {
    let doppio = Doppio::new();
    doppio.file("recipe.toml", SAMPLE);
    doppio.run(["run", "recipe.toml"]).expect(0);
    let path = journal(&doppio).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let last = text.lines().last().unwrap();
    let news = last.replace("run_finished", "run_beamed");
    fs::write(
        &path,
        text.replace(last, &format!("garbage\n{news}\n{}", last.replace("\"seq\":", "\"seq\":9"))),
    )
    .unwrap();
    let ran = doppio.run(["runs", "show"]).expect(0);
    assert!(ran.stdout.contains("sample`: success"), "{}", ran.stdout);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("of the journal was skipped"), "{}", ran.stderr);
}
