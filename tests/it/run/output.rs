//! What a run shows while it goes on, to a person and to a program.

use std::io::BufRead;
use std::io::BufReader;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

use crate::run::FOUR;
use crate::run::events;
use crate::run::of;
use crate::run::settled;

#[test]
fn lines_have_one_prefix_a_step_and_the_end_says_what_to_type() {
    let doppio = Doppio::new();
    doppio.recipe(FOUR);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert_eq!(ran.stdout, "", "stdout is data");
    let (setup, rest) = ran.stderr.split_once("train >").unwrap();
    // The two streams of one process are two pipes: which comes first is not known.
    let mut setup: Vec<&str> = setup.lines().collect();
    setup[2..].sort_unstable();
    insta::assert_snapshot!(settled(&doppio, &setup.join("\n")), @"
    run `RUN` of `test`: 4 steps
    setup > started at CLOCK
    setup | hello
    setup | no newline
    setup | warn
    setup ✓ done in TIME, at CLOCK
    ");
    insta::assert_snapshot!(settled(&doppio, &format!("train >{rest}")), @"
    train > started at CLOCK
    train | epoch 1
    train ✗ failed after TIME, at CLOCK: exit code 3
    eval  ⊘ skipped: step `train` failed
    stop  > started at CLOCK
    stop  | stopped
    stop  ✓ done in TIME, at CLOCK
    run `RUN`: 2 done, 1 failed, 1 skipped in TIME
    log: WORLD/home/doppio/runs/RUN
    error: step `train` failed: exit code 3

    hint: see all it printed with `doppio runs logs RUN --step train`
    ");
}

#[test]
fn more_is_shown_or_less() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("TEST_TOKEN", "made-up-by-the-test");
    doppio.recipe(
        "[[step]]\nid = \"a\"\nlocal_command = { command = \"echo said\", env = { T = \"${secret:env:TEST_TOKEN}\" } }\n\
         [[step]]\nid = \"b\"\nlocal_command = { command = \"exit 3\" }\n",
    );
    let quiet = doppio.run(["run", "-q", "recipe.toml"]).expect(1).stderr;
    assert!(!quiet.contains("said") && !quiet.contains("started"), "{quiet}");
    assert!(
        quiet.contains("1 done, 1 failed") && quiet.contains("error: step `b` failed: exit code 3"),
        "{quiet}"
    );
    let verbose = doppio.run(["run", "--verbose", "recipe.toml"]).expect(1).stderr;
    assert!(verbose.contains("a | said") && verbose.contains("a ~ runs as process "), "{verbose}");
    assert!(verbose.contains("a ~ secret `env:TEST_TOKEN` went as `T`: "), "{verbose}");
    doppio.run(["run", "-q", "-v", "recipe.toml"]).expect(2);
}

#[test]
fn json_is_one_event_a_line_and_nothing_else() {
    let doppio = Doppio::new();
    doppio.recipe(FOUR);
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
fn a_reader_who_leaves_ends_nothing_and_is_not_told() {
    let doppio = Doppio::new();
    doppio.recipe(FOUR);
    let mut child = doppio.start(["run", "recipe.toml", "--output", "json"]);
    drop(child.stdout.take());
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(1);
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("ipe"), "{}", ran.stderr);
    assert!(doppio.run(["runs", "show"]).expect(0).stdout.contains("success  stop"));
}

#[test]
fn a_prompt_without_a_newline_is_shown_while_it_waits() {
    let doppio = Doppio::new();
    let file = doppio.folder().join("project/go");
    doppio.recipe(
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
    doppio.recipe("[[step]]\nid = \"much\"\nlocal_command = { command = \"seq 1 2000000\" }\n");
    doppio.run(["run", "recipe.toml", "--output", "json"]).expect(0);
    let log = doppio.run(["runs", "logs", "--step", "much"]).expect(0).stdout;
    assert_eq!(log.lines().count(), 2_000_000);
    assert_eq!(log.lines().last(), Some("2000000"));
}
