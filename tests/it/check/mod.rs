//! `doppio check` through the real binary: what each fault looks like, all at once, and that no
//! text brings it down.

mod answers;
mod conditions;
mod grammar;
mod habits;
mod machines;
mod names;
mod operations;
mod secrets;

use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

/// What `check` says of a recipe that has faults.
#[track_caller]
fn faults(recipe: &str) -> String {
    let world = Doppio::new();
    world.file("r.toml", recipe);
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

/// A recipe with these steps.
fn steps(steps: &str) -> String {
    format!("[recipe]\nname = \"r\"\n\n{steps}")
}

/// What `check` says of a recipe that has none.
#[track_caller]
fn fine(recipe: &str) {
    let world = Doppio::new();
    world.file("r.toml", recipe);
    let ran = world.run(["check", "--deny", "warnings", "r.toml"]).expect(0);
    assert!(ran.stderr.ends_with("no faults\n"), "{}", ran.stderr);
}

#[test]
fn a_fine_recipe_is_said_to_be_fine() {
    let world = Doppio::new();
    world.file("a.toml", steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "a.toml"]).expect(0);
    assert_eq!(ran.stderr, "a.toml: 1 step, no faults\n");
}

#[test]
fn warnings_are_denied_when_asked() {
    let world = Doppio::new();
    let step = "[[step]]\nid = \"a\"\ntimeout_secs = 0\nretry = { max_attempts = 0 }\nsleep = { duration_secs = 1 }\n";
    world.file("r.toml", steps(step));
    insta::assert_snapshot!(world.run(["check", "r.toml"]).expect(0).stderr, @r#"
        warning: `timeout_secs` is 0, which means no deadline
         --> r.toml:6:16
          |
        6 | timeout_secs = 0
          |                ^
          |
          = help: leave it out, or give a number of seconds

        warning: `max_attempts` counts the first attempt too; 0 is taken as 1
         --> r.toml:7:26
          |
        7 | retry = { max_attempts = 0 }
          |                          ^
          |
        help: write 1, or leave `retry` out
          |
        7 - retry = { max_attempts = 0 }
        7 + retry = { max_attempts = 1 }
          |

        warning: r.toml has 2 warnings
        "#);
    assert!(
        world.run(["check", "--deny", "warnings", "r.toml"]).expect(2).stderr.contains("r.toml has 2 errors")
    );
}

#[test]
fn json_has_one_fault_a_line() {
    let world = Doppio::new();
    world.file("r.toml", steps("[[step]]\nid = \"a\"\nslep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "--output", "json", "r.toml"]).expect(2);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.stdout, @r#"
        {"schema":1,"file":"r.toml","line":6,"column":1,"severity":"error","code":"recipe::unknown-operation","message":"no step type is called `slep`","primary":{"span":{"start":39,"end":43},"text":""},"others":[],"help":"a step type with a similar name exists","edit":{"span":{"start":39,"end":43},"replacement":"sleep"}}
        "#);
}

#[test]
fn several_recipes_are_all_checked() {
    let world = Doppio::new();
    world.file("bad.toml", steps("[[step]]\nid = \"a\"\n"));
    world.file("fine.toml", steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "bad.toml", "fine.toml"]).expect(2);
    assert!(ran.stderr.contains("bad.toml has 1 error\n"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("fine.toml: 1 step, no faults\n"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_not_there_or_no_text() {
    let world = Doppio::new();
    insta::assert_snapshot!(world.run(["check", "nope.toml"]).expect(2).stderr, @r#"
        error: cannot read `nope.toml`
          cause: No such file or directory (os error 2)

        hint: there is no such file; name the file of a recipe, as in `doppio run train.toml`
        "#);
    world.file("bytes.toml", b"[recipe]\nname = \"\xff\"\n");
    insta::assert_snapshot!(world.run(["check", "bytes.toml"]).expect(2).stderr, @r#"
        error: not UTF-8
         --> bytes.toml:2:9
          |
        2 | name = "�"
          |         ^

        error: bytes.toml has 1 error
        "#);
}

/// Runs it, and fails the test rather than wait for ever.
fn run_in_time(world: &Doppio, arguments: &[&str]) -> Ran {
    let mut child = world.start(arguments);
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            panic!("{arguments:?} waits for ever");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ran::of(&child.wait_with_output().expect("it has ended"))
}

#[test]
fn what_may_have_no_end_is_not_read() {
    let world = Doppio::new();
    world.file("r.toml", steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"));
    let fifo = world.folder().join("project/fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("coreutils are installed");
    assert!(made.success());
    std::os::unix::fs::symlink(&fifo, world.folder().join("project/link")).expect("a link");
    for (arguments, path, kind) in [
        (&["check", "fifo"][..], "fifo", "a FIFO"),
        (&["check", "link"], "link", "a FIFO"),
        (&["check", "/dev/zero"], "/dev/zero", "a device"),
        (&["plan", "fifo"], "fifo", "a FIFO"),
        (&["run", "fifo"], "fifo", "a FIFO"),
        (&["plan", "r.toml", "--var-file", "fifo"], "fifo", "a FIFO"),
        (&["secret", "status", "fifo"], "fifo", "a FIFO"),
    ] {
        let ran = run_in_time(&world, arguments);
        assert_eq!(
            ran.stderr,
            format!("error: cannot read `{path}`\n  cause: it is {kind}, not a regular file\n"),
            "{arguments:?}"
        );
        assert_eq!(ran.code, if arguments[0] == "secret" { 3 } else { 2 }, "{arguments:?}");
    }
    for file in [world.doppio_home().join("hosts.toml"), world.folder().join("project/doppio.toml")] {
        std::os::unix::fs::symlink(&fifo, &file).expect("a link");
        let ran = run_in_time(&world, &["plan", "r.toml"]);
        let name = file.file_name().expect("a name").display();
        let said = ran.stderr.lines().next().unwrap_or_default();
        assert!(said.starts_with("error: cannot read `") && said.ends_with(&format!("{name}`")), "{said}");
        assert!(ran.code == 2 || ran.code == 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("cause: it is a FIFO, not a regular file\n"), "{}", ran.stderr);
        std::fs::remove_file(file).expect("the link");
    }
    world.file("doppio.toml", "dotenv = true\n");
    std::os::unix::fs::symlink(&fifo, world.folder().join("project/.env")).expect("a link");
    for arguments in [&["secret", "get", "dotenv:KEY"][..], &["secret", "scan", "r.toml"]] {
        let ran = run_in_time(&world, arguments).expect(3);
        assert!(ran.stderr.contains("it is a FIFO, not a regular file"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn what_the_process_was_handed_is_read() {
    let world = Doppio::new();
    let recipe = steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n");
    world.file("r.toml", &recipe);
    for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let ran = world.run_with_stdin(["check", path], &recipe).expect(0);
        assert_eq!(ran.stderr, format!("{path}: 1 step, no faults\n"));
    }
    // As `<(…)` of some shells does it.
    let mut shell = Command::new("sh");
    let doppio = world.command(["check"]);
    shell.args(["-c", "cat r.toml | \"$0\" check /dev/fd/3 3<&0 </dev/null"]).arg(doppio.get_program());
    for (name, value) in doppio.get_envs() {
        shell.env(name, value.expect("a value"));
    }
    let ran =
        Ran::of(&shell.current_dir(world.folder().join("project")).output().expect("sh starts")).expect(0);
    assert!(ran.stderr.ends_with(": 1 step, no faults\n"), "{}", ran.stderr);
}

#[test]
fn what_the_first_doppio_read_is_read() {
    fine(
        "\u{feff}[recipe]\nname = \"old\"\nversion = \"1\"\ndescription = \"d\"\n\
          [target]\ntype = \"custom\"\nmin_gpus = 1\nmin_memory_gb = 16\ngpu_type = \"RTX\"\n\
          [variables]\nflag = \"true\"\nhost = \"h\"\n\
          [[step]]\nid = \"a\"\nname = \"A\"\nwhen = \"${flag}\"\nretry = {}\ntimeout_secs = 5\n\
          continue_on_failure = true\nrun_commands = { host_id = \"${host}\", commands = \"\"\"\necho ${HOME}\n\"\"\", \
          tmux_mode = \"none\", env = { A = \"b\" }, capture_output = \"x\", }\n\
          [[step]]\nid = \"b\"\ndepends_on = [\"a\"]\n[step.wait_condition]\ntimeout_secs = 3\n\
          [step.wait_condition.condition]\nand = [\"always\", { not = \"never\" }, { var_equals = { name = \"x\", value = \"\" } }]\n\
          [[step]]\nid = \"c\"\ngroup.mode = \"parallel\"\ngroup.steps = [\"d\"]\n\
          [[step]]\nid = \"d\"\nssh_command = { host_id = \"${target}\", command = \"true\" }\n",
    );
}
