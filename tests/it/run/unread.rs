//! Output that nobody reads, or that finds no room.

use std::fs::File;
use std::process::Stdio;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::send;
use doppio_test_support::wait_for;

/// More than a pipe holds.
const MUCH: &str = "[[step]]\nid = \"much\"\nlocal_command = { command = \"seq 1 100000\" }\n";

/// Whether the journal of the only run has this event.
fn has_happened(doppio: &Doppio, event: &str) -> bool {
    let runs = std::fs::read_dir(doppio.doppio_home().join("runs")).into_iter().flatten().flatten();
    runs.filter_map(|run| std::fs::read_to_string(run.path().join("journal.jsonl")).ok())
        .any(|text| text.contains(&format!("\"event\":\"{event}\"")))
}

// case D9
#[test]
fn a_pipe_that_nobody_reads_does_not_keep_doppio_from_ending_when_told_to() {
    for signal in [Signal::INT, Signal::TERM] {
        for arguments in [&["run", "recipe.toml"][..], &["run", "recipe.toml", "--output", "json"]] {
            let doppio = Doppio::new();
            doppio.recipe(MUCH);
            let mut child = doppio.start(arguments);
            wait_for("the end of the steps", || has_happened(&doppio, "run_finished"));
            assert!(child.try_wait().unwrap().is_none(), "it still has something to say");
            send(&child, signal);
            let mut status = None;
            wait_for("the end of Doppio", || {
                status = child.try_wait().unwrap();
                status.is_some()
            });
            assert_eq!(status.unwrap().code(), Some(130));
        }
    }
}

// case D9
#[test]
fn one_signal_during_the_steps_is_enough_where_nobody_reads() {
    let doppio = Doppio::new();
    doppio.recipe(&MUCH.replace("seq 1 100000", "seq 1 100000; sleep 300"));
    let mut child = doppio.start(["run", "recipe.toml"]);
    wait_for("the step", || has_happened(&doppio, "step_launched"));
    send(&child, Signal::TERM);
    let mut status = None;
    wait_for("the end of Doppio", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(130));
}

// case D12
#[test]
fn events_that_find_no_room_are_an_error() {
    let doppio = Doppio::new();
    doppio.recipe(MUCH);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = doppio.command(["run", "recipe.toml", "--output", "json"]);
    let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(3);
    insta::assert_snapshot!(ran.stderr.split_once("error: ").unwrap().1, @"
    cannot write the events to stdout
      cause: No space left on device (os error 28)
    ");
    assert!(has_happened(&doppio, "run_finished"), "the steps ran all the same");
}

// case D12
#[test]
fn help_that_finds_no_room_is_an_error() {
    for arguments in [&["--help"][..], &["--version"], &["completions", "bash"], &["runs", "list"]] {
        let doppio = Doppio::new();
        doppio.recipe(MUCH);
        doppio.run(["run", "recipe.toml"]).expect(0);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = doppio.command(arguments).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let ran = Ran::of(&child.wait_with_output().unwrap()).expect(3);
        assert!(ran.stderr.contains("error: cannot write to stdout"), "{arguments:?}: {}", ran.stderr);
    }
}
