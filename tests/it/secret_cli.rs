//! `doppio secret` through the real binary, on a machine without a keychain.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use doppio_test_support::Doppio;

const PASSPHRASE: &str = "a passphrase of the tests";

fn machine() -> Doppio {
    Doppio::with_vault()
}

fn vault(doppio: &Doppio) -> PathBuf {
    doppio.doppio_home().join("vault.age")
}

#[test]
fn a_secret_is_stored_found_and_removed() {
    let doppio = machine();
    let ran =
        doppio.run_with_stdin(["secret", "set", "team/key", "--from-stdin"], "hunter2 hunter2\n").expect(0);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("stored `team/key` in the age vault"), "{}", ran.stderr);

    let ran = doppio.run(["secrets", "get", "team/key"]).expect(0);
    assert!(
        ran.stdout.starts_with("team/key = *** (vault record `team/key`, version 1, set "),
        "{}",
        ran.stdout
    );
    let ran = doppio.run(["secret", "get", "team/key", "--reveal"]).expect(2);
    assert_eq!(ran.stdout, "");
    let ran = doppio.run(["secret", "get", "team/key", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, "hunter2 hunter2");

    doppio
        .run_with_stdin(
            ["secret", "set", "team/key", "--from-stdin", "--note", "n", "--expires", "90d"],
            "second value",
        )
        .expect(0);
    let ran = doppio.run(["secret", "list", "--json"]).expect(0);
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list[0]["name"], "team/key");
    assert_eq!(
        (&list[0]["source"], &list[0]["version"], &list[0]["note"]),
        (&"file".into(), &"2".into(), &"n".into())
    );
    let ran = doppio.run(["secret", "get", "team/key@1", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, "hunter2 hunter2");

    doppio.run(["secret", "rm", "team/key"]).expect(0);
    doppio.run(["secret", "rm", "team/key"]).expect(3);
    let ran = doppio.run(["secret", "get", "team/key"]).expect(3);
    assert!(ran.stderr.contains("hint: run `doppio secret set team/key`"), "{}", ran.stderr);
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let doppio = machine();
    let token = format!("ghp_{}", "hunter2".repeat(6));
    let equals = format!("team/key={token}");
    for arguments in [
        vec!["secret", "set", "team/key", "hunter2"],
        vec!["secret", "set", "team/key", "-hunter2"],
        vec!["secret", "set", "team/key", "--hunter2"],
        vec!["secret", "set", &token],
        vec!["secret", "set", &equals],
        vec!["secret", "set", "a hunter2 value"],
        vec!["secret", "get", "a hunter2 value"],
        vec!["secret", "get", "a", "--secret", "a=a hunter2 value"],
    ] {
        let ran = doppio.run(&arguments).expect(2);
        assert!(!(ran.stdout + &ran.stderr).contains("hunter2"), "{arguments:?}");
    }
    assert!(!vault(&doppio).exists());
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    let doppio = machine();
    for (value, words) in [
        ("your_token_here", "is only a placeholder"),
        ("abc", "too short"),
        ("", "is empty"),
        ("\n", "is empty"),
        ("with\0nul", "NUL"),
    ] {
        let ran =
            doppio.run_with_stdin(["secret", "set", "huggingface/token", "--from-stdin"], value).expect(2);
        assert!(ran.stderr.contains(words), "{value:?}: {}", ran.stderr);
    }
    let ran = doppio
        .run_with_stdin(["secret", "set", "huggingface/token", "--from-stdin"], "hunter2 hunter2")
        .expect(0);
    assert!(ran.stderr.contains("does not look like a Hugging Face access token"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn values_come_from_files_and_variables_byte_for_byte() {
    let doppio = machine().env("LOCAL_KEY", "from a variable");
    let pem = "-----BEGIN KEY-----\nhunter2\n-----END KEY-----\n";
    let file = doppio.file("key.pem", pem);
    doppio.run(["secret", "set", "a", "--from-file", file.to_str().unwrap()]).expect(0);
    doppio.run(["secret", "set", "b", "--from-env", "LOCAL_KEY"]).expect(0);
    doppio.run_with_stdin(["secret", "set", "c", "--from-stdin"], "one line\r\n").expect(0);
    let reveal = |name| doppio.run(["secret", "get", name, "--reveal", "--force"]).expect(0).stdout;
    assert_eq!([reveal("a"), reveal("b"), reveal("c")], [pem, "from a variable", "one line"]);
    doppio.run(["secret", "set", "d", "--from-env", "GONE"]).expect(3);
    doppio.run(["secret", "set", "d", "--from-file", "gone"]).expect(3);
    doppio.run(["secret", "set", "d"]).expect(2);
    doppio.run(["secret", "set", "d", "--from-env", "LOCAL_KEY", "--expires", "soon"]).expect(2);
    doppio.run(["secret", "set", "d", "--from-env", "LOCAL_KEY", "--in", "env"]).expect(2);
    doppio.run(["secret", "set", "d", "--from-env", "LOCAL_KEY", "--in", "valt"]).expect(2);
}

#[test]
fn why_shows_the_rungs_and_no_value() {
    let doppio = machine().env("HF_TOKEN", "hunter2 in env");
    doppio.file("doppio.toml", "dotenv = true\n");
    let dotenv = doppio.file(".env", "HUGGINGFACE_TOKEN=hunter2 in dotenv\n");
    fs::set_permissions(dotenv, fs::Permissions::from_mode(0o644)).unwrap();
    doppio
        .run_with_stdin(["secret", "set", "huggingface/token", "--from-stdin"], "hunter2 in vault")
        .expect(0);
    let ran = doppio
        .run(["secret", "why", "huggingface/token", "--secret", "huggingface/token=env:OTHER"])
        .expect(0);
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    for (start, end) in [
        ("1. `--secret`: `env:OTHER`", "not found"),
        ("3. the environment: `HF_TOKEN`", "used (variable `HF_TOKEN`)"),
        ("3. the environment: `HUGGINGFACE_TOKEN`", "not found"),
        ("4. `", "shadowed"),
        ("5. the keychain", "no Secret Service answers)"),
        ("6. the age vault", "ago)"),
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(start) && line.contains(end)),
            "{start} … {end} in\n{}",
            ran.stdout
        );
    }
    assert!(ran.stdout.contains("warning: others can read"), "{}", ran.stdout);
    let ran = doppio.run(["secret", "why", "team/gone"]).expect(3);
    let rungs: Vec<&str> = ran.stdout.lines().filter_map(|line| line.get(..2)).collect();
    assert_eq!(rungs, ["1.", "2.", "3.", "4.", "5.", "6.", "7.", "8."], "{}", ran.stdout);
    doppio.file("doppio.toml", "");
    let ran = doppio.run(["secret", "why", "team/gone"]).expect(3);
    insta::assert_snapshot!(doppio.settled(&ran.stdout), @"
        1. `--secret`: `team/gone` -> not found
        2. `[secrets]` of the settings: `team/gone` -> not found
        3. the environment: `TEAM_GONE` -> not found
        4. `WORLD/project/.env`: `team/gone` -> skipped: the settings do not say `dotenv = true`
        5. the keychain: `team/gone` -> skipped: this machine has no keychain (no Secret Service answers)
        6. the age vault: `team/gone` -> not found
        7. `default_source`: `team/gone` -> skipped: the settings name none
        8. the providers' own credentials: `team/gone` -> skipped: the settings do not say `discover = true`
        ");
    doppio.run(["secret", "why", "team/gone?default"]).expect(0);
}

#[test]
fn what_looks_like_a_value_is_never_shown() {
    let doppio = machine();
    let token = "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";
    doppio.file("doppio.toml", format!("[secrets]\n\"team/x\" = \"{token}\"\n\"team/y\" = 3\n"));
    let ran = doppio.run(["secret", "get", "team/x"]).expect(2);
    assert!(ran.stderr.contains("\"team/x\" = \"***\"") && !ran.stderr.contains(token), "{}", ran.stderr);
    assert!(ran.stderr.contains("doppio.toml:3:12"), "{}", ran.stderr);
    // Another fault draws the line as well.
    doppio.file("doppio.toml", format!("[secrets]\n\"team/x\" = {token} # mine\n"));
    let ran = doppio.run(["secret", "get", "team/x"]).expect(2);
    assert!(ran.stderr.contains("\"team/x\" = *** # mine") && !ran.stderr.contains(token), "{}", ran.stderr);
    let ran = doppio
        .run_with_stdin(["secret", "set", "team/z", "--from-stdin", "--note", token], "hunter2")
        .expect(2);
    assert!(!ran.stderr.contains(token), "{}", ran.stderr);
}

#[test]
fn hints_lead_on() {
    let doppio = machine().env("DATABASE_URL", "postgres://somewhere");
    doppio.store("team/x", "hunter2-hunter2");
    for (reference, hint) in [
        ("team/x@9", "doppio secret history team/x"),
        ("hugginface/token", "did you mean `huggingface/token`?"),
        ("wandb/apikey", "did you mean `wandb/api_key`?"),
        ("team/api_key", "run `doppio secret set team/api_key`"),
    ] {
        let ran = doppio.run(["secret", "get", reference]).expect(3);
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    }
    // What `import` makes of a variable is found in that variable.
    assert_eq!(doppio.reveal("env/DATABASE_URL"), "postgres://somewhere");
    let recipe = "[recipe]\nname = 'r'\n[[step]]\nid = 'a'\nlocal_command = { command = \"true\", env = { A = \"${secret:nosuch:x}\" } }\n";
    doppio.file("r.toml", recipe);
    let ran = doppio.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("no source is called `nosuch`"), "{}", ran.stderr);
}

#[test]
fn status_names_all_that_recipes_need() {
    let doppio = machine().env("WANDB_API_KEY", "0123456789012345678901234567890123456789");
    doppio.file(
        "train.toml",
        "[recipe]\nname = 't'\n[[step]]\nid = 'a'\nrun_commands = { commands = [\"x ${secret:wandb/api_key} \
         ${secret:huggingface/token}\"] }\n[[step]]\nid = 'b'\nrun_commands = { commands = [\"${secret:team/p?none} \
         $${secret:literal}\"] }\n",
    );
    doppio.file("other.toml", "key = 1\n");
    doppio.file("broken.toml", "[recipe\n");
    let ran = doppio.run(["secret", "status"]).expect(3);
    assert!(ran.stderr.contains("broken.toml` is not TOML, and was skipped"), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    assert!(
        lines[0].starts_with("missing  huggingface/token  run `doppio secret set huggingface/token`"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("ok       team/p"), "{lines:?}");
    assert!(lines[2].starts_with("ok       wandb/api_key      variable `WANDB_API_KEY`"), "{lines:?}");
    let ran = doppio.run(["secret", "status", "train.toml", "--json"]).expect(3);
    let answers: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answers[0]["state"], "missing");
    doppio.run(["secret", "status", "--secret", "huggingface/token=env:WANDB_API_KEY"]).expect(0);
    doppio.run(["secret", "status", "gone.toml"]).expect(3);
}

#[test]
fn suggest_lists_what_is_set_and_where_to_get_the_rest() {
    let doppio = machine().env("GH_TOKEN", "hunter2hunter2");
    let ran = doppio.run(["secret", "suggest"]).expect(0);
    assert!(ran.stdout.contains("set  github/token"), "{}", ran.stdout);
    assert!(ran.stdout.contains("https://huggingface.co/settings/tokens"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("hunter2"));
}

#[test]
fn faults_of_the_settings_stop_the_command() {
    let doppio = machine().env("A", "12345678");
    doppio.file("doppio.toml", "[secrts]\n");
    doppio.run(["secret", "get", "a"]).expect(2);
    doppio.file("doppio.toml", "[sources.command.x]\nrun = ['touch', 'ran']\n[secrets]\na = 'command:x'\n");
    doppio.run(["secret", "get", "a"]).expect(2);
    assert!(!doppio.folder().join("project/ran").exists(), "a project ran a program");
    doppio.file("doppio.toml", "");
    doppio.run(["secret", "get", "a"]).expect(0);
    doppio.run(["secret", "get", "a", "--profile", "gone"]).expect(2);
}

#[test]
fn a_vault_that_cannot_be_trusted_is_named_and_left_alone() {
    let doppio = machine();
    doppio.run_with_stdin(["secret", "set", "a", "--from-stdin"], "hunter2 hunter2").expect(0);
    let (path, whole) = (vault(&doppio), fs::read(vault(&doppio)).unwrap());
    let check = |what: &str, words: &str| {
        for arguments in
            [&["secret", "get", "a"][..], &["secret", "set", "a", "--from-stdin"], &["secret", "rm", "a"]]
        {
            let ran = doppio.run_with_stdin(arguments, "other value").expect(3);
            assert!(ran.stderr.contains(words), "{what}: {}", ran.stderr);
            assert!(ran.stderr.contains("hint: "), "{what}: {}", ran.stderr);
            assert!(!ran.stderr.contains("hunter2"), "{what}: {}", ran.stderr);
        }
    };

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    check("open mode", "chmod 600");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    let elsewhere = doppio.folder().join("elsewhere.age");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    check("a link", "is a symbolic link");
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    check("a folder", "is not a regular file");
    fs::remove_dir(&path).unwrap();

    for (what, bytes) in
        [("garbage", &b"hunter2"[..]), ("empty", b""), ("cut off", &whole[..whole.len() - 7])]
    {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        check(what, "nothing was changed");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{what} was overwritten");
    }
    fs::write(&path, &whole).unwrap();

    doppio.private("home/passphrase", "another passphrase");
    check("wrong passphrase", "the passphrase does not open the age vault");
    assert_eq!(fs::read(&path).unwrap(), whole);

    fs::remove_file(doppio.folder().join("home/passphrase")).unwrap();
    let ran = doppio.run(["secret", "get", "a"]).expect(3);
    assert!(ran.stderr.contains("passphrase"), "{}", ran.stderr);
}

#[test]
fn a_passphrase_comes_through_a_file_descriptor() {
    let doppio = machine();
    doppio.run_with_stdin(["secret", "set", "a", "--from-stdin"], "hunter2 hunter2").expect(0);
    // The shell opens descriptor 3 on a pipe; the file that the machine names is gone.
    fs::remove_file(doppio.folder().join("home/passphrase")).unwrap();
    let script = format!(
        "printf '%s\\n' '{PASSPHRASE}' | DOPPIO_PASSPHRASE_FD=3 '{}' secret get a --reveal --force 3<&0 </dev/null",
        env!("CARGO_BIN_EXE_doppio")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", doppio.home())
        .env("DOPPIO_HOME", doppio.doppio_home())
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "hunter2 hunter2",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn nothing_locks_a_vault_where_nobody_can_be_asked() {
    let doppio = Doppio::new();
    let ran = doppio.run_with_stdin(["secret", "set", "a", "--from-stdin"], "hunter2 hunter2").expect(3);
    for words in ["DOPPIO_VAULT_IDENTITY", "DOPPIO_PASSPHRASE_FD", "DOPPIO_PASSPHRASE_FILE", "no keychain"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(!vault(&doppio).exists());
}

// case J14
#[test]
fn set_says_what_it_replaced_and_how_to_go_back() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    let ran = doppio.run_with_stdin(["secret", "set", "team/key", "--from-stdin"], "hunter2 two").expect(0);
    assert!(ran.stderr.contains("it replaces the value of 20"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`doppio secret rollback team/key@1` goes back to that"), "{}", ran.stderr);
    doppio.run(["secret", "rollback", "team/key@1"]).expect(0);
    assert_eq!(doppio.reveal("team/key"), "hunter2 one");
}

// case J14
#[test]
fn an_option_that_set_has_not_is_not_taken_for_a_value() {
    let doppio = Doppio::with_vault();
    let ran = doppio.run(["secret", "set", "team/key", "--exposure", "owned"]).expect(2);
    assert!(ran.stderr.contains("`doppio secret set` has no option `--exposure`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("history"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "set", "team/key", "hunter2hunter2"]).expect(2);
    assert!(ran.stderr.contains("a value must not stand on the command line"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
