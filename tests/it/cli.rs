//! The root of the command line.

use crate::support::doppio::Doppio;

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
    let ran = crate::support::doppio::Ran::of(&child.wait_with_output().expect("the binary ends"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
