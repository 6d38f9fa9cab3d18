//! The sources `op` and `bw` against programs that hold Doppio to the vendors' documentation, and
//! `pass` against the real one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Item;
use doppio_secrets::source::Source;
use doppio_test_support::Doppio;

use crate::support::store::Store;

fn program(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name).display().to_string()
}

/// A machine with this password manager, whose session is in the keychain of the settings.
fn machine(scheme: &str, settings: &str, files: &[(&str, String)]) -> Doppio {
    let doppio = Doppio::new().env("SESSION", session(scheme));
    let fake = doppio.folder().join("fake");
    fs::create_dir(&fake).unwrap();
    for (name, text) in files {
        fs::write(fake.join(name), text).unwrap();
    }
    let config = format!("[sources.{scheme}]\nprogram = '{}'\n{settings}\n", program(scheme));
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    let variable = if scheme == "op" { "OP_FAKE" } else { "BW_FAKE" };
    doppio.env(variable, fake)
}

fn session(scheme: &str) -> &'static str {
    if scheme == "op" { "ops_token_of_the_tests" } else { "session of the tests" }
}

/// The arguments of all calls, in order.
fn calls(doppio: &Doppio) -> Vec<Vec<String>> {
    let fake = doppio.folder().join("fake");
    let faults = fs::read_to_string(fake.join("faults")).unwrap_or_default();
    assert_eq!(faults, "", "calls that the real program would not take");
    let text = fs::read_to_string(fake.join("calls")).unwrap_or_default();
    fs::remove_file(fake.join("calls")).ok();
    text.lines()
        .map(|line| {
            let call: serde_json::Value = serde_json::from_str(line).unwrap();
            call["arguments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        })
        .collect()
}

fn recipe(doppio: &Doppio, env: &[(&str, &str)], command: &str) {
    let env: Vec<String> = env.iter().map(|(name, at)| format!("{name} = \"${{secret:{at}}}\"")).collect();
    let text = format!(
        "[recipe]\nname = \"many\"\n\n[[step]]\nid = \"a\"\nlocal_command = {{ env = {{ {} }}, command = '{command}' }}\n",
        env.join(", ")
    );
    doppio.file("recipe.toml", text);
}

#[test]
fn one_call_of_op_for_a_whole_run() {
    let store = serde_json::json!({
        "ML/hf/token": "hunter2 one", "ML/hf/keys/deep": "two\nlines \"q\"", "Team x/db/password": "hunter2 three",
    });
    let settings = "token = 'env:SESSION'\naccount = 'my.1password.com'";
    let doppio = machine("op", settings, &[("store.json", store.to_string())]);
    recipe(
        &doppio,
        &[
            ("A", "op://ML/hf/token"),
            ("B", "op:ML/hf/keys/deep"),
            ("C", "op:Team x/db/password"),
            ("D", "op:ML/hf/token"),
        ],
        r#"test "$A$C$D" = "hunter2 onehunter2 threehunter2 one" && test "$B" = "$(printf "two\nlines \"q\"")""#,
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    assert_eq!(calls(&doppio), [["inject"]]);
    assert_eq!(doppio.reveal("op:ML/hf/token"), "hunter2 one");
    assert_eq!(calls(&doppio), [["read", "--no-newline", "op://ML/hf/token"]]);
}

#[test]
fn what_op_says_is_sorted_out() {
    let store = serde_json::json!({ "ML/hf/token": "hunter2 one", "ML/hf/empty": "" }).to_string();
    let doppio = machine("op", "token = 'env:SESSION'", &[("store.json", store.clone())]);
    for gone in ["op:ML/hf/gone", "op:ML/gone/token", "op:Gone/hf/token", "op:ML/hf/empty"] {
        let ran = doppio.run(["secret", "get", gone]).expect(3);
        assert!(ran.stderr.contains("is not set"), "{gone}: {}", ran.stderr);
    }
    let ran = doppio.run(["secret", "get", "op:Theirs/a/b"]).expect(3);
    assert!(ran.stderr.contains("1Password does not allow it: the account"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "get", "op:Locked/a/b?none"]).expect(3);
    assert!(ran.stderr.contains("1Password is locked"), "{}", ran.stderr);
    // One that is missing does not spoil the others: they are read in halves.
    calls(&doppio);
    recipe(
        &doppio,
        &[("A", "op:ML/hf/token"), ("B", "op:ML/hf/gone?none")],
        "test \"$A$B\" = \"hunter2 onenone\"",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    let asked = calls(&doppio);
    assert_eq!(asked[0], ["inject"]);
    let doppio = machine("op", "", &[("store.json", store)]);
    let ran = doppio.run(["secret", "get", "op:ML/hf/token?none"]).expect(3);
    assert!(ran.stderr.contains("1Password is not signed in"), "{}", ran.stderr);
    assert!(ran.stderr.contains("op signin"), "{}", ran.stderr);
}

/// `op inject` would put the variable's value into the reference, and so into what it complains of.
#[test]
fn a_reference_with_a_dollar_is_in_no_template() {
    let store = serde_json::json!({ "ML/hf/token": "hunter2 one", "ML/hf/$HOME": "hunter2 two" });
    let doppio = machine("op", "token = 'env:SESSION'", &[("store.json", store.to_string())])
        .env("SESSION_OF_ANOTHER", "hunter2 session");
    recipe(
        &doppio,
        &[("A", "op:ML/hf/token"), ("B", "op:ML/hf/$HOME"), ("C", "op:ML/hf/\\\\x?none")],
        "test \"$A$B$C\" = \"hunter2 onehunter2 twonone\"",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    let asked = calls(&doppio);
    assert!(asked.iter().all(|call| call[0] == "read"), "{asked:?}");
    recipe(&doppio, &[("A", "op:ML/hf/token"), ("B", "op:$SESSION_OF_ANOTHER/a/b")], "true");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(!(ran.stdout + &ran.stderr).contains("hunter2"), "{}", ran.stderr);
}

/// One after the other the calls would take half a minute.
#[test]
fn halves_are_asked_for_at_the_same_time() {
    let store: serde_json::Map<String, serde_json::Value> =
        (0..8).map(|n| (format!("ML/there/{n}"), format!("hunter2 {n}").into())).collect();
    let files = [("store.json", serde_json::Value::from(store).to_string()), ("delay", "1".to_owned())];
    let doppio = machine("op", "token = 'env:SESSION'\ntimeout_secs = 25", &files);
    let env: Vec<(String, String)> = (0..8)
        .flat_map(|n| {
            [(format!("A{n}"), format!("op:ML/there/{n}")), (format!("B{n}"), format!("op:ML/gone/{n}?none"))]
        })
        .collect();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, at)| (name.as_str(), at.as_str())).collect();
    recipe(&doppio, &env, "test \"$A0$A7$B3\" = \"hunter2 0hunter2 7none\"");
    doppio.run(["run", "recipe.toml"]).expect(0);
    let asked = calls(&doppio);
    assert!(asked.len() > 16, "{asked:?}");
}

#[test]
fn one_that_hangs_spoils_nothing_for_the_others() {
    let store = serde_json::json!({ "ML/hf/token": "hunter2 one" }).to_string();
    let doppio = machine("op", "token = 'env:SESSION'\ntimeout_secs = 5", &[("store.json", store)]);
    recipe(&doppio, &[("A", "op:ML/hf/token"), ("B", "op:$Hangs/a/b?none")], "true");
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    assert!(ran.stderr.contains("1Password did not answer in time"), "{}", ran.stderr);
    assert!(ran.stderr.contains("op:$Hangs/a/b") && !ran.stderr.contains("op:ML/hf/token"), "{}", ran.stderr);
}

/// A program whose interpreter is gone has not said that the item is.
#[test]
fn what_is_said_of_a_program_is_not_said_of_an_item() {
    let doppio = Doppio::new();
    for (script, words) in [
        ("echo 'env: node: not found' >&2; exit 127", "can't be run: env: node: not found"),
        ("echo 'bw: command not found' >&2; exit 1", "bw: command not found"),
        ("echo 'Not found.' >&2; exit 1", "Not found."),
    ] {
        let broken = doppio.file("broken", format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
        let config =
            format!("[sources.op]\nprogram = '{0}'\n[sources.bw]\nprogram = '{0}'\n", broken.display());
        fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
        for reference in ["op:a/b/c?none", "bw:a?none"] {
            let ran = doppio.run(["secret", "get", reference]).expect(3);
            assert!(ran.stderr.contains(words), "{reference}: {}", ran.stderr);
        }
    }
}

/// It is in the group that the terminal listens to, so it can read there.
#[test]
fn a_command_may_ask_at_the_terminal() {
    let doppio = Doppio::new();
    let ask =
        doppio.file("ask", "printf 'PIN: ' >/dev/tty; read pin </dev/tty; printf 'given: %s' \"$pin\"\n");
    let config = format!("[sources.command.ask]\nrun = ['sh', '{}']\n", ask.display());
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    let (code, shown) =
        doppio.at_terminal(&["secret", "get", "command:ask", "--reveal"], &[("PIN: ", "hunter2 typed")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("given: hunter2 typed"), "{shown}");
}

fn items() -> String {
    serde_json::json!([
        { "id": "id-1", "name": "hf", "notes": "a\nnote", "revisionDate": "2026-01-31T10:00:00.000Z",
          "login": { "username": "me", "password": "hunter2 \"one\"", "totp": null, "uris": [{ "uri": "https://x" }] },
          "fields": [{ "name": null, "value": null }, { "value": "x" }, { "name": "api", "value": "hunter2 api" },
                     { "name": "other", "value": "o" }] },
        { "id": "id-2", "name": "twice", "login": { "password": "hunter2 first" } },
        { "id": "id-3", "name": "twice", "login": { "password": "hunter2 second" } },
        { "id": "id-4", "name": "hf of others", "login": { "password": "hunter2 others" } },
    ])
    .to_string()
}

#[test]
fn fields_of_bitwarden() {
    let doppio = machine("bw", "session = 'env:SESSION'", &[("items.json", items())]);
    for (reference, value) in [
        ("bw:hf", "hunter2 \"one\""),
        ("bw:hf/password", "hunter2 \"one\""),
        ("bw:hf/username", "me"),
        ("bw:hf/notes", "a\nnote"),
        ("bw:hf/uri", "https://x"),
        ("bw:hf/api", "hunter2 api"),
        ("bw:id-3/password", "hunter2 second"),
    ] {
        let shown = doppio.run(["secret", "get", reference, "--reveal", "--force"]);
        // Too short to be masked is too short to be a secret.
        if value.len() < 4 {
            assert!(shown.stderr.contains("too short"), "{reference}: {}", shown.stderr);
        } else {
            assert_eq!(shown.expect(0).stdout, value, "{reference}");
        }
    }
    for gone in ["bw:gone", "bw:hf/gone", "bw:hf/totp"] {
        let ran = doppio.run(["secret", "get", gone]).expect(3);
        assert!(ran.stderr.contains("is not set"), "{gone}: {}", ran.stderr);
    }
    let ran = doppio.run(["secret", "get", "bw:twice"]).expect(3);
    assert!(ran.stderr.contains("2 items are called `twice`"), "{}", ran.stderr);
    calls(&doppio);
    recipe(
        &doppio,
        &[("A", "bw:hf"), ("B", "bw:id-2"), ("C", "bw:hf/api")],
        "test \"$B$C\" = \"hunter2 firsthunter2 api\"",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    assert_eq!(calls(&doppio), [["list", "items"]]);
}

#[test]
fn a_bitwarden_that_is_closed_says_how_to_open_it() {
    let doppio = machine("bw", "", &[("items.json", items())]);
    let ran = doppio.run(["secret", "get", "bw:hf?none"]).expect(3);
    assert!(ran.stderr.contains("Bitwarden is not logged in"), "{}", ran.stderr);
    let doppio = doppio.env("BW_SESSION", "an old one");
    let ran = doppio.run(["secret", "get", "bw:hf?none"]).expect(3);
    assert!(ran.stderr.contains("Bitwarden's vault is locked"), "{}", ran.stderr);
    assert!(ran.stderr.contains("bw unlock --raw"), "{}", ran.stderr);
}

#[test]
fn entries_of_the_real_pass() {
    let store = Store::new();
    let doppio = Doppio::new().env("GNUPGHOME", store.gpg()).env("PASSWORD_STORE_DIR", store.path());
    let pem = "-----BEGIN KEY-----\nhunter2\n-----END KEY-----\n";
    doppio.run_with_stdin(["secret", "set", "keys/deploy", "--from-stdin", "--in", "pass"], pem).expect(0);
    assert_eq!(store.run("pass", &["show", "keys/deploy"]), pem.as_bytes());
    assert_eq!(doppio.reveal("pass:keys/deploy"), pem);
    let entry = "hunter2 of the site\nuser: somebody\n{\"not\": \"json\"\n";
    doppio.run_with_stdin(["secret", "set", "site", "--from-stdin", "--in", "pass"], entry).expect(0);
    assert_eq!(doppio.reveal("pass:site#password"), "hunter2 of the site");
    assert_eq!(doppio.reveal("pass:site#user"), "somebody");
    doppio.run(["secret", "get", "pass:site#gone"]).expect(3);
    // A folder is not an entry, though `pass show` prints what is in it.
    doppio.run(["secret", "get", "pass:keys", "--reveal", "--force"]).expect(3);
    for path in ["pass:../site", "pass:-c", "pass:a//b"] {
        let ran = doppio.run(["secret", "get", path]).expect(3);
        assert!(ran.stderr.contains("is not a path of an entry"), "{path}: {}", ran.stderr);
    }
    // An entry for a key that is not ours.
    let other = Store::new();
    fs::copy(other_entry(&other), store.path().join("theirs.gpg")).unwrap();
    let ran = doppio.run(["secret", "get", "pass:theirs?none", "--reveal", "--force"]).expect(3);
    assert!(ran.stderr.contains("not encrypted for a key of yours"), "{}", ran.stderr);
    // No default stands in for a store that is not there; a name may go on where nobody named it.
    let none = Doppio::new();
    let away = Doppio::new().env("PASSWORD_STORE_DIR", "/nonexistent/store");
    for doppio in [&none, &away] {
        let ran = doppio.run(["secret", "get", "pass:site?none", "--reveal", "--force"]).expect(3);
        assert!(ran.stderr.contains("there is no password store"), "{}", ran.stderr);
        fs::write(doppio.doppio_home().join("config.toml"), "default_source = 'pass:{name}'\n").unwrap();
    }
    assert_eq!(none.reveal("site?none"), "none");
    let ran = away.run(["secret", "get", "site?none"]).expect(3);
    assert!(ran.stderr.contains("hint: mount it"), "{}", ran.stderr);
}

fn other_entry(store: &Store) -> std::path::PathBuf {
    let doppio = Doppio::new().env("GNUPGHOME", store.gpg()).env("PASSWORD_STORE_DIR", store.path());
    doppio
        .run_with_stdin(["secret", "set", "theirs", "--from-stdin", "--in", "pass"], "hunter2 theirs")
        .expect(0);
    store.path().join("theirs.gpg")
}

#[tokio::test]
async fn many_items_of_a_program_that_is_not_there_fail_each() {
    let settings = [("program", "/nonexistent/op")];
    let source = crate::support::far::open("op", "/nonexistent".as_ref(), &settings, &[], None);
    let items = ["a/b/c", "a/b/d", "nonsense"].map(|path| Item::new(path, None));
    for answer in source.get_many(&items).await {
        let fault = answer.map(|(value, _): (SecretValue, _)| drop(value)).unwrap_err();
        assert!(
            fault.to_string().contains("is not installed") || fault.to_string().contains("is not a path"),
            "{fault}"
        );
    }
}
