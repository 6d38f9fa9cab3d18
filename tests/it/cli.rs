//! The root of the command line.

use std::fs;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

#[test]
fn the_version_is_printed() {
    let ran = Doppio::new().run(["version"]).expect(0);
    assert_eq!(ran.stdout, format!("doppio {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ran.stderr, "");
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let ran = Doppio::new().run(["vresion"]).expect(2);
    assert!(ran.stderr.contains("similar subcommand exists: 'version'"), "{}", ran.stderr);
}

#[test]
fn completions_are_printed_for_every_shell() {
    let doppio = Doppio::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = doppio.run(["completions", shell]).expect(0);
        assert!(ran.stdout.contains("doppio"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let doppio = Doppio::new();
    let mut child = doppio.start(["completions", "bash"]);
    drop(child.stdout.take());
    let ran = Ran::of(&child.wait_with_output().expect("the binary ends"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// The soft and the hard limit of core files, as `/proc/PID/limits` has them.
fn core_limits(pid: &str) -> (String, String) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process is there");
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("its limit");
    let mut halves = line["Max core file size".len()..].split_whitespace().map(str::to_owned);
    (halves.next().expect("a soft limit"), halves.next().expect("a hard limit"))
}

#[test]
fn its_memory_can_not_be_dumped_and_that_of_its_steps_can() {
    let (_, hard) = core_limits("self");
    let doppio = Doppio::new();
    let step = "local_command = { command = \"ulimit -S -c $(ulimit -H -c); ulimit -c; read -r go <go\" }";
    doppio.file("recipe.toml", format!("[recipe]\nname = \"core\"\n[[step]]\nid = \"a\"\n{step}\n"));
    rustix::fs::mkfifoat(rustix::fs::CWD, doppio.folder().join("project/go"), 0o600.into()).expect("a FIFO");
    let child = doppio.start(["run", "recipe.toml"]);
    // Opening it waits for the step to do so.
    let go = fs::OpenOptions::new()
        .write(true)
        .open(doppio.folder().join("project/go"))
        .expect("the step is there");
    let limits = core_limits(&child.id().to_string());
    drop(go);
    let ran = Ran::of(&child.wait_with_output().expect("the binary ends"));
    assert_eq!(limits, ("0".to_owned(), hard.clone()), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("a | {hard}\n")), "{}", ran.stderr);
}
