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
fn the_exit_codes_are_in_the_help() {
    for command in [&["--help"][..], &["run", "--help"], &["help", "run"]] {
        let help =
            Doppio::new().run(command).expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for code in
            ["0 done", "1 a step failed", "2 the recipe", "3 something", "70 a bug", "130 interrupted"]
        {
            assert!(help.contains(code), "{command:?}: {help}");
        }
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    let doppio = Doppio::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = doppio.run(["completions", shell]).expect(0);
        assert!(ran.stdout.contains("doppio"), "{shell}");
        let runs = match shell {
            "bash" | "zsh" => "\"runs show\"|\"runs logs\"|\"runs rm\"",
            "fish" => "__fish_seen_subcommand_from show logs rm'",
            _ => continue,
        };
        assert!(ran.stdout.contains(runs), "{shell}");
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

// case F13
#[test]
fn commands_that_are_not_there_are_answered_with_what_is() {
    let doppio = Doppio::new();
    for (typed, tip) in [
        (&["init"][..], "hint: write a recipe by hand: docs/recipe.md begins with one"),
        (&["graph", "x.toml"], "hint: `doppio plan RECIPE` lists the steps in order"),
        (&["shell", "box"], "hint: `doppio ssh HOST` opens a session"),
        (&["logs", "-f"], "hint: `doppio runs logs` prints what the steps of the newest run printed"),
        (
            &["runs", "logs", "-f"],
            "hint: `doppio runs show` prints the run's folder: `tail -f FOLDER/steps/*.log`",
        ),
        (&["config", "show"], "hint: settings stand in config.toml"),
        (&["host", "edit", "x"], "hint: hosts stand in hosts.toml, a table `[hosts.NAME]` each"),
        (&["runs", "watch"], "hint: `doppio runs show` shows how it stands"),
        (&["validate", "x.toml"], "hint: `doppio check RECIPE`"),
    ] {
        let ran = doppio.run(typed).expect(2);
        assert!(ran.stderr.contains(tip), "{typed:?}: {}", ran.stderr);
    }
    assert!(doppio.run(["doctor"]).stdout.contains("doppio/hosts.toml has no hosts"));
    assert!(!doppio.run(["vresion"]).expect(2).stderr.contains("hint:"));
}

/// All commands, with the words that lead to them.
fn commands(of: &clap::Command, before: &[String]) -> Vec<(Vec<String>, clap::Command)> {
    let mut all = Vec::new();
    for command in of.get_subcommands() {
        let words: Vec<String> = before.iter().cloned().chain([command.get_name().to_owned()]).collect();
        all.extend(commands(command, &words));
        all.push((words, command.clone()));
    }
    all
}

// case F15
#[test]
fn every_command_that_prints_json_has_the_same_options_for_it() {
    let mut found = 0;
    for (words, command) in commands(&doppio::cli::command(), &[]) {
        let long =
            |name: &str| command.get_arguments().find(|argument| argument.get_long() == Some(name)).cloned();
        let (output, json) = (long("output"), long("json"));
        assert_eq!(output.is_some(), json.is_some(), "{words:?}");
        if let Some(output) = output {
            let values: Vec<String> =
                output.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            assert_eq!(values, ["auto", "plain", "json"], "{words:?}");
            found += 1;
        }
    }
    assert!(found >= 15, "only {found}");
    let doppio = Doppio::new();
    let short = doppio.run(["version", "--json"]).expect(0).stdout;
    assert_eq!(short, doppio.run(["version", "--output", "json"]).expect(0).stdout);
    assert_eq!(doppio.run(["host", "list", "--json"]).expect(0).stdout, "[]\n");
    doppio.run(["version", "--json", "--output", "plain"]).expect(2);
}

// case F15
#[test]
fn names_are_completed() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts("[hosts.gpu-box]\nhostname = \"10.0.0.7\"\n");
    doppio.recipe("[[step]]\nid = \"train\"\nlocal_command = { command = \"true\" }\n");
    doppio.run(["run", "recipe.toml"]).expect(0);
    let names = |arguments: &[&str]| {
        let ran = doppio.run(["complete"].iter().chain(arguments)).expect(0);
        ran.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["hosts"]), ["gpu-box", "local", "sandbox"]);
    assert_eq!(names(&["steps", "--", "run", "recipe.toml", "--only"]), ["train"]);
    assert_eq!(names(&["steps", "--", "runs", "logs", "--step"]), ["train"]);
    assert_eq!(names(&["runs"]).len(), 1);
    assert!(names(&["secrets"]).contains(&"huggingface/token".to_owned()));
    doppio.hosts("not toml");
    assert_eq!(names(&["hosts"]), ["local", "sandbox"]);
    assert_eq!(names(&["steps", "--", "run", "no-such.toml"]), ["train"]);
}

// case F15
// case F16
#[test]
fn colour_is_chosen_on_every_command() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("TERM", "xterm");
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"echo ${secret:no/such}\" }\n");
    for (arguments, painted) in [
        (&["plan", "recipe.toml"][..], "\u{1b}[1;31mMISSING\u{1b}[0m: "),
        (&["doctor"], "\u{1b}[32mok"),
        (&["secret", "why", "no/such"], " -> \u{1b}[2mnot found\u{1b}[0m\n"),
    ] {
        let said = |colour: &str| doppio.run(arguments.iter().copied().chain(["--color", colour])).stdout;
        assert!(said("always").contains(painted), "{arguments:?}: {}", said("always"));
        assert!(!said("never").contains('\u{1b}') && !said("auto").contains('\u{1b}'), "{arguments:?}");
    }
    let typo = doppio.run(["plan", "recpie.toml", "--color", "always"]).expect(2);
    assert!(typo.stderr.contains("\u{1b}[1;31merror\u{1b}[0m"), "{}", typo.stderr);
}
