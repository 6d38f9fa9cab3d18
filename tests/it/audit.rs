//! The audit log: what runs and commands write to it, whatever becomes of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use doppio_test_support::Doppio;

const VALUE: &str = "kQ7-zVbXmWnRtYpLsDfG8hJcKxZ2w";

const RECIPE: &str = "[recipe]\nname = \"audited\"\n\
    [[step]]\nid = \"first\"\nlocal_command = { command = \"test -n \\\"$T\\\"\", env = { T = \"${secret:huggingface/token}\" } }\n\
    [[step]]\nid = \"second\"\ndepends_on = [\"first\"]\nlocal_command = { command = \"test -n \\\"$T\\\"\", env = { T = \"${secret:huggingface/token}\", D = \"${secret:team/proxy?none}\" } }\n";

fn world() -> Doppio {
    Doppio::new().env("HF_TOKEN", VALUE).env("DOPPIO_KEYRING", "off")
}

fn log(world: &Doppio) -> PathBuf {
    world.doppio_home().join("audit.jsonl")
}

fn lines(world: &Doppio) -> Vec<Value> {
    let text = fs::read_to_string(log(world)).expect("a log");
    assert!(!text.contains(VALUE), "the value is in the log");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

#[test]
fn a_run_writes_down_what_it_fetches_and_where_it_goes() {
    let world = world();
    world.file("recipe.toml", RECIPE);
    world.run(["run", "recipe.toml"]).expect(0);
    let lines = lines(&world);
    let deeds: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| (line["deed"].as_str().expect("a deed"), line["step"].as_str().unwrap_or("-")))
        .collect();
    // It is fetched once; a default is not a secret.
    assert_eq!(deeds, [("fetch", "-"), ("deliver", "first"), ("deliver", "second")], "{lines:?}");
    let run = lines[0]["run"].as_str().expect("a run").to_owned();
    let print = lines[0]["fingerprint"].as_str().expect("a fingerprint");
    for line in &lines {
        assert_eq!(line["secret"], "huggingface/token");
        assert_eq!(line["run"].as_str(), Some(run.as_str()));
        assert_eq!(line["source"], "variable `HF_TOKEN`");
        assert_eq!(line["fingerprint"], print);
    }
    assert_eq!((lines[1]["host"].as_str(), lines[1]["variable"].as_str()), (Some("local"), Some("T")));
    assert_eq!(fs::metadata(log(&world)).expect("it is there").permissions().mode() & 0o777, 0o600);
    world.run(["secret", "audit", "verify"]).expect(0);
    let of = |arguments: &[&str]| {
        let all: Vec<&str> = ["secret", "audit"].iter().chain(arguments).copied().collect();
        world.run(all).expect(0).stdout.lines().count()
    };
    assert_eq!(of(&[]), 3);
    assert_eq!(of(&["--host", "local"]), 2);
    assert_eq!(of(&["--run", &run[..4], "--json"]), 3);
    assert_eq!(of(&["--secret", "huggingface/token"]), 3);
    assert_eq!(of(&["--secret", "other"]), 0);
}

#[test]
fn commands_write_down_what_they_show_and_change() {
    let world = world();
    let passphrase = world.private("passphrase", "correct horse battery staple");
    let world = world.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    fs::write(world.doppio_home().join("config.toml"), "[vault]\nwork_factor = 10\n").expect("settings");
    world
        .run_with_stdin(["secret", "set", "db/password", "--from-stdin", "--in", "file"], "hunter2-hunter3")
        .expect(0);
    world.run(["secret", "get", "db/password"]).expect(0);
    world.run(["secret", "get", "db/password", "--reveal", "--force"]).expect(0);
    world.file(".env", "WEBHOOK=hunter2-webhook\n");
    world.run(["secret", "import", ".env", "--in", "file", "--prefix", "team", "--yes"]).expect(0);
    world.run_with_stdin(["secret", "rotate", "db/password", "--from-stdin"], "hunter3-hunter4").expect(0);
    world.run(["secret", "rollback", "db/password@1"]).expect(0);
    world.run(["secret", "mv", "db/password", "db/root"]).expect(0);
    world.run(["secret", "export", "--format", "json", "--reveal", "--force", "db/root"]).expect(0);
    world.run(["secret", "exec", "P=db/root", "--", "true"]).expect(0);
    world.run(["secret", "rm", "db/root"]).expect(0);
    world.run(["secret", "rm", "db/root"]).expect(3);
    let deeds: Vec<String> = lines(&world)
        .iter()
        .map(|line| ["deed", "secret"].map(|member| line[member].as_str().expect("a text")).join(" "))
        .collect();
    insta::assert_snapshot!(deeds.join("\n"), @"
    set db/password
    reveal db/password
    set team/WEBHOOK
    rotate db/password
    rollback db/password
    move db/password
    move db/root
    fetch db/root
    export db/root
    fetch db/root
    deliver db/root
    remove db/root
    ");
    world.run(["secret", "audit", "verify"]).expect(0);
}

const OTHER: &str = "zY3-qPwOeIrUtYaLsKdJfHgMnBvCx";

/// One variable of two secrets; what one is called has a comma in it.
const JOINED: &str = "[recipe]\nname = \"joined\"\n[[step]]\nid = \"push\"\n\
    local_command = { command = \"test -n \\\"$URL\\\"\", env = { URL = \"https://${secret:env:KEYS#old, token}:${secret:team/token}@host/${secret:team/token}\" } }\n";

fn of_two() -> Doppio {
    let world = Doppio::new()
        .env("KEYS", format!("{{\"old, token\": \"{VALUE}\"}}"))
        .env("TEAM_TOKEN", OTHER)
        .env("DOPPIO_KEYRING", "off");
    world.file("recipe.toml", JOINED);
    world
}

#[test]
fn every_secret_of_a_variable_is_written_down_by_itself() {
    let world = of_two();
    let ran = world.run(["run", "recipe.toml"]).expect(0);
    for words in ["secret `env:KEYS#old, token` went as URL", "secret `team/token` went as URL"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let lines = lines(&world);
    let given: Vec<&Value> = lines.iter().filter(|line| line["deed"] == "deliver").collect();
    assert_eq!(
        given.iter().map(|line| &line["secret"]).collect::<Vec<_>>(),
        ["env:KEYS#old, token", "team/token"]
    );
    for line in given {
        assert!(line["fingerprint"].is_string() && line["source"].is_string(), "{line}");
    }
    for name in ["KEYS", "team/token"] {
        let ran = world.run(["secret", "audit", "--secret", name]).expect(0);
        assert!(ran.stdout.contains(" to local as URL "), "{name}: {}", ran.stdout);
    }
    let ran = world.run(["secret", "incident", "team/token"]);
    assert!(ran.stdout.contains("\n  local"), "{}", ran.stdout);
}

#[test]
fn without_a_log_the_journals_know_who_got_what() {
    let world = of_two();
    fs::write(world.doppio_home().join("config.toml"), "audit = \"off\"\n").expect("settings");
    world.run(["run", "recipe.toml"]).expect(0);
    assert!(!log(&world).exists());
    let ran = world.run(["secret", "incident", "team/token"]);
    assert!(ran.stdout.contains("\n  local, step push: 20"), "{}", ran.stdout);
    assert!(!world.doppio_home().join("audit.key").exists(), "nothing needed a fingerprint");
}

#[test]
fn what_the_log_lost_of_a_run_is_in_its_journal() {
    let world = world();
    world.file("recipe.toml", RECIPE);
    world.run(["run", "recipe.toml"]).expect(0);
    let text = fs::read_to_string(log(&world)).expect("a log");
    let kept: Vec<&str> = text.lines().take(2).collect();
    fs::write(log(&world), kept.join("\n") + "\n").expect("a log");
    let places = |world: &Doppio| {
        let ran = world.run(["secret", "incident", "huggingface/token"]);
        (ran.stdout.matches("  local, step ").count(), ran.stderr)
    };
    assert_eq!(places(&world), (2, String::new()));
    let runs = world.doppio_home().join("runs");
    let run = fs::read_dir(&runs).expect("runs").next().expect("a run").expect("it is there").path();
    fs::remove_file(run.join("journal.jsonl")).expect("it goes");
    fs::create_dir(run.join("journal.jsonl")).expect("a folder in its place");
    let (count, told) = places(&world);
    assert!(count == 1 && told.contains("warning: the journal of run `"), "{told}");
    fs::remove_dir_all(&runs).expect("it goes");
    fs::write(&runs, "").expect("a file in its place");
    let (count, told) = places(&world);
    assert!(count == 1 && told.contains("warning: the folder of the runs can't be read"), "{told}");
}

#[test]
fn a_delivery_that_is_not_logged_is_told_once_even_where_the_log_is_required() {
    let world = world();
    fs::write(world.doppio_home().join("config.toml"), "audit = \"required\"\n").expect("settings");
    let log = log(&world).display().to_string();
    let step = |id: &str, after: &str, command: &str, env: &str| {
        format!(
            "[[step]]\nid = \"{id}\"\ndepends_on = [{after}]\nlocal_command = {{ command = \"{command}\"{env} }}\n"
        )
    };
    let token = ", env = { T = \"${secret:huggingface/token}\" }";
    let steps = [
        step("fetch", "", "true", token),
        step("break", "\"fetch\"", &format!("rm {log} && mkdir {log}"), ""),
        step("use", "\"break\"", "true", token),
        step("again", "\"use\"", "true", token),
    ];
    world.file("recipe.toml", format!("[recipe]\nname = \"full\"\n{}", steps.concat()));
    let ran = world.run(["run", "recipe.toml"]).expect(0);
    assert_eq!(ran.stderr.matches("warning: the audit log was not written").count(), 1, "{}", ran.stderr);
}

#[test]
fn what_was_tried_and_failed_is_told() {
    let world = Doppio::with_vault();
    world.store("db/password", VALUE);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let mut show = world.command(["secret", "get", "db/password", "--reveal", "--force"]);
    assert_eq!(show.stdout(full).output().expect("it runs").status.code(), Some(3));
    fs::write(world.doppio_home().join("vault.age"), "no vault\n").expect("it is broken");
    world.run_with_stdin(["secret", "set", "db/password", "--from-stdin", "--in", "file"], OTHER).expect(3);
    world.run(["secret", "rm", "db/password", "--in", "file"]).expect(3);
    let deeds: Vec<String> = lines(&world)
        .iter()
        .map(|line| {
            format!("{} {}", line["deed"].as_str().expect("a deed"), line["failed"].as_bool() == Some(true))
        })
        .collect();
    let expected = ["set", "reveal", "set", "remove"].map(|deed| format!("{deed} false"));
    let failed = ["reveal", "set", "remove"].map(|deed| format!("{deed} true"));
    let [first, rest @ ..] = expected;
    let pairs = rest.into_iter().zip(failed).flat_map(|(tried, failed)| [tried, failed]);
    assert_eq!(deeds, [first].into_iter().chain(pairs).collect::<Vec<_>>());
    let ran = world.run(["secret", "audit"]).expect(0);
    assert_eq!(ran.stdout.matches("  (failed, ").count(), 3, "{}", ran.stdout);
    world.run(["secret", "audit", "verify"]).expect(0);
}

#[test]
fn a_changed_line_is_named() {
    let world = world();
    for _ in 0..3 {
        world.run(["secret", "get", "huggingface/token", "--reveal", "--force"]).expect(0);
    }
    let text = fs::read_to_string(log(&world)).expect("a log");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("huggingface/token", "innocent/token");
    fs::write(log(&world), lines.join("\n") + "\n").expect("a log");
    let ran = world.run(["secret", "audit", "verify"]).expect(1);
    assert!(
        ran.stderr.contains("line 3 does not fit the line before it: line 2 was changed"),
        "{}",
        ran.stderr
    );
    fs::write(log(&world), lines[..1].join("\n") + "\n").expect("a log");
    let ran = world.run(["secret", "audit", "verify"]).expect(1);
    assert!(ran.stderr.contains("line 2 is gone: the log had 3 lines"), "{}", ran.stderr);
}

#[test]
fn a_log_without_its_end_is_told_for_ever() {
    let world = world();
    let show = || world.run(["secret", "get", "huggingface/token", "--reveal", "--force"]).expect(0);
    for _ in 0..3 {
        show();
    }
    let head = log(&world).with_file_name("audit.head");
    let whole = fs::read(&head).expect("a head");
    for text in [None, Some("no head")] {
        fs::remove_file(&head).ok();
        if let Some(text) = text {
            fs::write(&head, text).expect("another");
            fs::set_permissions(&head, fs::Permissions::from_mode(0o600)).expect("its mode");
        }
        let ran = world.run(["secret", "audit", "verify"]).expect(1);
        assert!(ran.stderr.contains("where the log ended is not known"), "{}", ran.stderr);
    }
    fs::write(&head, whole).expect("it is back");
    world.run(["secret", "audit", "verify"]).expect(0);
    fs::remove_file(&head).expect("it goes");
    show();
    let ran = world.run(["secret", "audit", "verify"]).expect(1);
    assert!(ran.stderr.contains("earlier lines were removed or changed"), "{}", ran.stderr);
}

#[test]
fn a_log_that_cant_be_kept_warns_or_stops() {
    let world = world();
    world.file("recipe.toml", RECIPE);
    fs::create_dir(log(&world)).expect("a folder in its place");
    let ran = world.run(["run", "recipe.toml"]).expect(0);
    let warnings = ran.stderr.matches("the audit log was not written").count();
    assert_eq!(warnings, 1, "{}", ran.stderr);
    let settings = world.doppio_home().join("config.toml");
    fs::write(&settings, "audit = \"required\"\n").expect("settings");
    let ran = world.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("audit = \"required\""), "{}", ran.stderr);
    world.run(["secret", "get", "huggingface/token", "--reveal", "--force"]).expect(3);
    world.run(["secret", "export", "--format", "json", "--reveal", "--force", "huggingface/token"]).expect(3);
    world.run(["secret", "exec", "T=huggingface/token", "--", "true"]).expect(3);
    fs::write(&settings, "audit = \"off\"\n").expect("settings");
    let ran = world.run(["run", "recipe.toml"]).expect(0);
    assert!(!ran.stderr.contains("audit log"), "{}", ran.stderr);
    world.file("doppio.toml", "audit = \"off\"\n");
    assert!(
        world
            .run(["run", "recipe.toml"])
            .expect(2)
            .stderr
            .contains("`audit` is not allowed in a project's settings")
    );
}

#[test]
fn the_log_survives_kill_at_any_time_and_many_at_once() {
    let world = world();
    let mut wait = 0;
    for round in 0..40 {
        let mut children: Vec<_> = (0..3)
            .map(|_| world.start(["secret", "get", "huggingface/token", "--reveal", "--force"]))
            .collect();
        wait = (wait + 700) % 20_000;
        std::thread::sleep(Duration::from_micros(wait));
        for child in &mut children {
            if round % 2 == 0 {
                child.kill().ok();
            }
            child.wait().expect("it ends");
        }
    }
    world.run(["secret", "get", "huggingface/token", "--reveal", "--force"]).expect(0);
    let ran = world.run(["secret", "audit", "verify"]).expect(0);
    let count: usize = ran.stdout.split(' ').next().and_then(|count| count.parse().ok()).expect("a number");
    assert!(count > 60, "those that were not killed wrote: {}", ran.stdout);
}
