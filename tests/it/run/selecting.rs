//! Which recipe, which variables, which of its steps: what is said when there is none of that name.

use doppio_test_support::Doppio;

const CHAIN: &str = r#"
[[step]]
id = "prepare"
local_command = { command = "echo 1", outputs = { n = "(.*)" } }
[[step]]
id = "train"
depends_on = ["prepare"]
local_command = { command = "echo trained ${step.prepare.outputs.n}", outputs = { loss = "(.*)" } }
[[step]]
id = "report"
depends_on = ["train"]
local_command = { command = "echo ${step.train.outputs.loss}" }
"#;

/// The options that a hint names, as words.
fn options(stderr: &str) -> Vec<String> {
    let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint");
    let command = hint.split('`').nth(1).expect("a command");
    command.split(' ').map(str::to_owned).collect()
}

// case K11
#[test]
fn the_hint_for_a_missing_result_works() {
    let doppio = Doppio::new();
    doppio.recipe(CHAIN);
    for wrong in [
        &["--from", "train"][..],
        &["--from", "report"],
        &["--only", "report"],
        &["--only", "report", "--only", "train"],
        &["--from", "train", "--skip", "prepare"],
    ] {
        let ran = doppio.run(["run", "recipe.toml"].iter().chain(wrong)).expect(2);
        assert!(ran.stderr.contains("which is left out"), "{}", ran.stderr);
        let right = options(&ran.stderr);
        let arguments = ["run", "recipe.toml"].into_iter().chain(right.iter().map(String::as_str));
        let ran = doppio.run(arguments).expect(0);
        assert!(ran.stderr.contains("trained 1"), "{wrong:?} {right:?}: {}", ran.stderr);
    }
    let ran = doppio.run(["run", "recipe.toml", "--skip", "prepare"]).expect(2);
    assert!(ran.stderr.contains("hint: include it as well: leave out `--skip`"), "{}", ran.stderr);
}

// case F11
#[test]
fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let doppio = Doppio::new();
    doppio.recipe(&format!("[variables]\nepochs = 3\n{CHAIN}"));
    let hint = |arguments: &[&str]| {
        let ran = doppio.run(arguments).expect(2);
        ran.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).expect("a hint").to_owned()
    };
    assert_eq!(hint(&["run", "recipe.toml", "--only", "nope"]), "its steps are `prepare`, `train`, `report`");
    assert_eq!(hint(&["run", "recipe.toml", "--only", "trian"]), "did you mean `train`?");
    assert_eq!(hint(&["run", "recipe.toml", "--var", "lr=1"]), "its variables are `epochs`");
    assert_eq!(hint(&["run", "recipe.toml", "--var", "epoch=1"]), "did you mean `--var epochs=…`?");
    assert_eq!(hint(&["run", "recpie.toml"]), "did you mean `recipe.toml`?");
    assert_eq!(hint(&["check", "nope.toml"]), "there is no such file; did you mean `recipe.toml`?");
    assert_eq!(hint(&["run", "nowhere/x.toml"]), "there is no folder `nowhere`");
    doppio.file("sub/a.toml", "");
    doppio.file("sub/b.toml", "");
    assert_eq!(hint(&["run", "sub"]), "it is a folder; TOML files there: `sub/a.toml`, `sub/b.toml`");
}

// case F11
#[test]
fn a_folder_that_is_not_there_is_named() {
    let doppio = Doppio::new();
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"true\", workdir = \"no/such\" }\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("there is no directory `no/such`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`mkdir -p no/such`"), "{}", ran.stderr);
    doppio
        .recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"true\", source = [\"no-such.sh\"] }\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("there is no file `no-such.sh` to source"), "{}", ran.stderr);
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"echo own >&2; exit 98\" }\n");
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(ran.stderr.contains("exit code 98"), "{}", ran.stderr);
}

// case F1
#[test]
fn a_text_stops_at_the_first_command_that_fails() {
    let doppio = Doppio::new();
    let text = "\"\"\"\necho one\nno-such-program\necho two\n\"\"\"";
    for kind in ["local_command = { command", "run_commands = { host_id = \"local\", commands"] {
        doppio.recipe(&format!("[[step]]\nid = \"a\"\n{kind} = {text} }}\n"));
        let ran = doppio.run(["run", "recipe.toml"]).expect(1);
        assert!(ran.stderr.contains("| one\n") && !ran.stderr.contains("| two\n"), "{}", ran.stderr);
        let lax = format!("[defaults]\nerrexit = false\n[[step]]\nid = \"a\"\n{kind} = {text} }}\n");
        doppio.recipe(&lax);
        assert!(doppio.run(["run", "recipe.toml"]).expect(0).stderr.contains("| two\n"));
    }
    // Whoever wrote a file that is sourced need not have thought of it.
    doppio.file("env.sh", "false\nNAME=set\n");
    doppio.recipe(
        "[[step]]\nid = \"a\"\nlocal_command = { command = \"echo $NAME\", source = [\"env.sh\"] }\n",
    );
    assert!(doppio.run(["run", "recipe.toml"]).expect(0).stderr.contains("| set\n"));
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"false | cat\", pipefail = true }\n");
    doppio.run(["run", "recipe.toml"]).expect(1);
}

#[test]
fn what_is_left_out_is_waited_through() {
    let doppio = Doppio::new();
    doppio.recipe(
        r#"
[[step]]
id = "a"
local_command = { command = "sleep 0.3; touch done", workdir = "." }
[[step]]
id = "b"
depends_on = ["a"]
matrix = { n = ["1", "2"] }
local_command = { command = "true" }
[[step]]
id = "c"
depends_on = ["b"]
local_command = { command = "test -e done" }
"#,
    );
    for options in [&["--skip", "b"][..], &["--only", "a", "--only", "c"]] {
        doppio.run(["run", "recipe.toml"].iter().chain(options)).expect(0);
        std::fs::remove_file(doppio.folder().join("project/done")).unwrap();
    }
}

#[test]
fn an_id_with_a_secret_in_it_is_refused() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2-hunter2");
    doppio.recipe(
        r#"
[[step]]
id = "a"
matrix = { n = ["hunter2-hunter2", "2"] }
local_command = { command = "true", env = { K = "${secret:team/key}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(2);
    assert!(ran.stderr.contains("the id `a[n=***]` of a step holds a secret"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
