//! What is kept of runs: how much, what of it is found, and how it goes again.

use doppio_test_support::Doppio;

use crate::run::settled;

/// A step that prints this many bytes.
fn bytes(count: usize, more: &str) -> String {
    format!(
        "[[step]]\nid = \"make\"\nlocal_command = {{ command = \"head -c {count} /dev/zero | tr '\\\\0' x\"{more} }}\n"
    )
}

// case D6
#[test]
fn what_is_too_long_to_capture_is_an_error_and_no_silent_cut() {
    let doppio = Doppio::new();
    let whole = 16 << 20;
    let count = "[[step]]\nid = \"use\"\ndepends_on = [\"make\"]\nlocal_command = { command = \"wc -c\", stdin = \"${long}\" }\n";
    doppio.recipe(&(bytes(whole, ", capture_output = \"long\"") + count));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains(&format!("use  | {whole}\n")), "it got all of it");

    doppio.recipe(&(bytes(whole + 1, ", capture_output = \"long\"") + count));
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    let said = ran.stderr.split_once("error: ").unwrap().1;
    insta::assert_snapshot!(said, @"
    step `make` failed: stdout is longer than the 16 MiB that `capture_output` can hold

    hint: let the command write to a file, and print its path
    ");

    let count = count.replace("${long}", "${step.make.output}");
    doppio.recipe(&(bytes(whole + 1, "") + &count));
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    let said = ran.stderr.split_once("error: ").unwrap().1;
    assert!(
        said.starts_with(
            "step `use` failed: `${step.make.output}` has no value: step `make` printed more than 16 MiB\n"
        ),
        "{said}"
    );
}

// case D14
#[test]
fn a_log_keeps_its_beginning_and_its_end_and_says_what_is_left_out() {
    let doppio = Doppio::new();
    std::fs::write(doppio.doppio_home().join("config.toml"), "[logs]\nstep_mib = 1\n").unwrap();
    doppio.recipe("[[step]]\nid = \"much\"\nlocal_command = { command = \"seq 1 1000000\" }\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let said = ran.stderr.lines().find(|line| line.starts_with("log of step")).expect("the summary says it");
    assert!(
        said.starts_with("log of step `much`: ") && said.ends_with("are left out of its middle"),
        "{said}"
    );
    let log = doppio.run(["runs", "logs", "--step", "much"]).expect(0).stdout;
    assert!(log.len() < (1 << 20) + 200, "{} bytes", log.len());
    assert!(log.starts_with("1\n2\n") && log.ends_with("\n1000000\n"));
    assert_eq!(log.lines().filter(|line| line.ends_with("the log of a step keeps 1 MiB ---")).count(), 1);
}

// case D14
#[test]
fn runs_are_removed_by_name_number_and_age() {
    let doppio = Doppio::new();
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"true\" }\n");
    for _ in 0..4 {
        doppio.run(["run", "recipe.toml"]).expect(0);
    }
    let ids = || -> Vec<String> {
        let list = doppio.run(["runs", "list", "--output", "json"]).expect(0).stdout;
        let run = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["run"].as_str().unwrap().to_owned()
        };
        list.lines().map(run).collect()
    };
    let all = ids();
    let ran = doppio.run(["runs", "prune", "--keep", "2", "--dry-run"]).expect(0);
    assert!(ran.stderr.contains(&format!("would remove run `{}` (success, ", all[3])), "{}", ran.stderr);
    assert!(ran.stderr.contains("would remove 2 runs"), "{}", ran.stderr);
    assert_eq!(ids(), all);
    doppio.run(["runs", "prune", "--older-than", "1d"]).expect(0);
    assert_eq!(ids(), all, "none is so old");
    doppio.run(["runs", "prune", "--keep", "2"]).expect(0);
    assert_eq!(ids(), all[..2]);
    // The same one twice, by its id and by the end of it.
    let ran = doppio.run(["runs", "rm", &all[0], &all[0][4..], &all[0]]).expect(0);
    assert_eq!(ran.stderr.matches("removed run").count(), 1, "{}", ran.stderr);
    assert_eq!(ids(), all[1..2]);
    std::fs::write(doppio.doppio_home().join("runs").join(&all[1]).join("journal.jsonl"), "").unwrap();
    let ran = doppio.run(["runs", "prune", "--older-than", "0h"]).expect(0);
    assert!(ran.stderr.contains("removed 0 runs"), "when it began is not known: {}", ran.stderr);
    let ran = doppio.run(["runs", "rm", "nope"]).expect(2);
    assert!(ran.stderr.contains("no run is called `nope`"), "{}", ran.stderr);
    doppio.run(["runs", "prune"]).expect(2);
    let ran = doppio.run(["runs", "prune", "--older-than", "soon"]).expect(2);
    assert!(ran.stderr.contains("`soon` is not an age"), "{}", ran.stderr);
    doppio.run(["runs", "prune", "--keep", "0"]).expect(0);
    assert_eq!(ids(), [""; 0]);
}

// case F10
#[test]
fn the_log_of_a_matrix_is_that_of_its_members_and_ambiguous_ids_are_a_table() {
    let doppio = Doppio::new();
    doppio.recipe(
        "[[step]]\nid = \"sweep\"\nmatrix = { lr = [\"1\", \"2\"] }\nlocal_command = { command = \"echo lr ${matrix.lr}\" }\n",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    doppio.run(["run", "recipe.toml"]).expect(0);
    let log = doppio.run(["runs", "logs", "--step", "sweep"]).expect(0).stdout;
    assert_eq!(log, "sweep[lr=1] | lr 1\nsweep[lr=2] | lr 2\n");
    let ran = doppio.run(["runs", "show", "2"]).expect(2);
    let said = settled(&doppio, &ran.stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("RUN ")
            && lines[1].starts_with("RUN  success ")
            && lines[2].starts_with("RUN  success "),
        "{said}"
    );
    assert_eq!(lines[3], "error: `2` could be any of 2 runs", "{said}");
}

// case F16
#[test]
fn a_step_that_passed_late_is_flaky_and_a_failure_is_told_once() {
    let doppio = Doppio::new();
    let count = doppio.folder().join("project/count");
    doppio.recipe(&format!(
        "[[step]]\nid = \"flaky\"\nretry = {{ max_attempts = 5, delay_secs = 0 }}\n\
         local_command = {{ command = \"echo x >> {0}; [ $(wc -l < {0}) -ge 3 ]\" }}\n\
         [[step]]\nid = \"lost\"\nssh_command = {{ host_id = \"gpu\", command = \"true\" }}\n",
        count.display()
    ));
    doppio.hosts("[hosts.gpu]\nhostname = \"127.0.0.1\"\nport = 1\nuser = \"root\"\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains(" (FLAKY 3/5)\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 done, 1 failed (1 flaky) in "), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("cause: Connection refused").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("hint: check the port").count(), 1, "{}", ran.stderr);

    let show = doppio.run(["runs", "show"]).expect(0).stdout;
    assert!(show.contains("FLAKY 3/5") && show.contains("  cause: Connection refused"), "{show}");

    let list = doppio.run(["runs", "list"]).expect(0).stdout;
    let head = list.lines().next().unwrap();
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["RUN", "STATUS", "STARTED", "(UTC)", "TIME", "HOST", "RECIPE"]
    );
    assert!(list.lines().nth(1).unwrap().contains("  2 hosts  test (2/2, 1 failed)"), "{list}");
    let coloured = doppio.command(["runs", "list"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    let coloured = String::from_utf8(coloured.stdout).unwrap();
    assert!(coloured.contains("\u{1b}[1;31mfailed"), "{coloured}");
}
