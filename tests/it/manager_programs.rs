//! The sources `op` and `bw` against programs that hold Doppio to the vendors' documentation, and
//! `pass` against the real one.

use std::fs;
use std::path::Path;

use doppio::secret::SecretValue;
use doppio::secret::source::Item;
use doppio::secret::source::Source;

use crate::support::doppio::Doppio;
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

fn items() -> String {
    serde_json::json!([
        { "id": "id-1", "name": "hf", "notes": "a\nnote", "revisionDate": "2026-01-31T10:00:00.000Z",
          "login": { "username": "me", "password": "hunter2 \"one\"", "totp": null, "uris": [{ "uri": "https://x" }] },
          "fields": [{ "name": "api", "value": "hunter2 api" }, { "name": "other", "value": "o" }] },
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
    // A folder is no entry, though `pass show` prints what is in it.
    doppio.run(["secret", "get", "pass:keys", "--reveal", "--force"]).expect(3);
    for path in ["pass:../site", "pass:-c", "pass:a//b"] {
        let ran = doppio.run(["secret", "get", path]).expect(3);
        assert!(ran.stderr.contains("is no path of an entry"), "{path}: {}", ran.stderr);
    }
    // An entry for a key that is not ours.
    let other = Store::new();
    fs::copy(other_entry(&other), store.path().join("theirs.gpg")).unwrap();
    let ran = doppio.run(["secret", "get", "pass:theirs?none", "--reveal", "--force"]).expect(3);
    assert!(ran.stderr.contains("not encrypted for a key of yours"), "{}", ran.stderr);
    let none = Doppio::new();
    let ran = none.run(["secret", "get", "pass:site"]).expect(3);
    assert!(ran.stderr.contains("there is no password store"), "{}", ran.stderr);
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
            fault.to_string().contains("is not installed") || fault.to_string().contains("is no path"),
            "{fault}"
        );
    }
}
