//! What the readers of others make of what Doppio writes: shells, python-dotenv, YAML, `git filter-repo`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

use crate::support::venv;

/// What readers like to stumble over.
const HARD: &str = "p$HOME `x` \"q\" #\\n {é}\ttab\nsecond line ";

fn machine() -> Doppio {
    let doppio = Doppio::with_vault();
    doppio.store("huggingface/token", "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    doppio.store("env/HARD", HARD);
    doppio
}

fn export(doppio: &Doppio, format: &str, more: &[&str]) -> String {
    let mut arguments = vec!["secret", "export", "--format", format];
    arguments.extend(more);
    doppio.run(arguments).expect(0).stdout
}

/// Python with the readers of tests/run.sh.
fn python(script: &str, file: &Path) -> String {
    let output = Command::new(venv::python()).args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_shell_reads_what_was_stored() {
    let doppio = machine();
    doppio.store("env/QUOTE", "it's $5 \\ \"x\"");
    let text = export(&doppio, "shell", &["env/HARD", "env/QUOTE", "--reveal", "--force"]);
    let file = doppio.file("export.sh", &text);
    for shell in ["bash", "dash", "zsh", "busybox"] {
        let mut command = Command::new(shell);
        if shell == "busybox" {
            command.arg("sh");
        }
        let script = ". \"$1\"; printf '%s|%s' \"$HARD\" \"$QUOTE\"";
        let output = command.args(["-c", script, "sh"]).arg(&file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{HARD}|it's $5 \\ \"x\""), "{shell}");
    }
}

#[test]
fn dotenv_readers_agree_on_what_was_stored() {
    let doppio = machine();
    doppio.store("env/APOSTROPHE", "it's\nso");
    let out = ["env/HARD", "env/APOSTROPHE", "huggingface/token", "--reveal", "--out", "all.env"];
    export(&doppio, "dotenv", &out);
    let file = doppio.folder().join("project/all.env");
    let read =
        python("import sys, dotenv, json; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))", &file);
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!((&read["HARD"], &read["APOSTROPHE"]), (&HARD.into(), &"it's\nso".into()));
    assert_eq!(read["HF_TOKEN"], "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let script = "set -a; . \"$1\"; printf '%s|%s' \"$HARD\" \"$APOSTROPHE\"";
    let output = Command::new("bash").args(["-c", script, "sh"]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{HARD}|it's\nso"));
    // And back.
    let other = Doppio::with_vault();
    other.run(["secret".as_ref(), "import".as_ref(), file.as_os_str(), "--yes".as_ref()]).expect(0);
    assert_eq!(other.reveal("env/HARD"), HARD);
    doppio.store("env/TWO", "it's $5");
    let ran =
        doppio.run(["secret", "export", "--format", "dotenv", "env/TWO", "--reveal", "--force"]).expect(2);
    doppio.store("env/BRACE", "pa${HOME}ss1");
    doppio.run(["secret", "export", "--format", "dotenv", "env/BRACE", "--reveal", "--force"]).expect(2);
    insta::assert_snapshot!(ran.stderr, @"error: `TWO` can't be written: readers of dotenv files disagree on its value: use `--format shell` or `json`");
}

#[test]
fn json_and_kubernetes_read_what_was_stored() {
    let doppio = machine();
    let text = export(&doppio, "json", &["env/HARD", "huggingface/token", "--reveal", "--force"]);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["HARD"], HARD);
    assert_eq!(read["HF_TOKEN"], "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    let more = ["env/HARD", "--reveal", "--name", "app", "--namespace", "ml", "--out", "secret.yaml"];
    export(&doppio, "k8s", &more);
    let read = python(
        "import sys, yaml, json; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))",
        &doppio.folder().join("project/secret.yaml"),
    );
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!(
        (&read["apiVersion"], &read["kind"], &read["type"]),
        (&"v1".into(), &"Secret".into(), &"Opaque".into())
    );
    assert_eq!(read["metadata"], serde_json::json!({"name": "app", "namespace": "ml"}));
    let value = read["data"]["HARD"].as_str().unwrap();
    assert_eq!(BASE64.decode(value.as_bytes()).unwrap(), HARD.as_bytes());
}

#[test]
fn references_are_written_without_a_look_at_the_values() {
    let doppio = Doppio::new();
    let recipe = "[recipe]\nname = 't'\n[[step]]\nid = 'a'\nrun_commands = { commands = [\"${secret:huggingface/token} ${secret:aws:prod/app#DATABASE_URL@AWSPREVIOUS}\"] }\n";
    doppio.file("train.toml", recipe);
    let to_json = "import sys, yaml, json; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let read = |format: &str| -> serde_json::Value {
        let text = export(&doppio, format, &["--recipe", "train.toml"]);
        let file = doppio.file(&format!("{format}.yaml"), &text);
        serde_json::from_str(&python(to_json, &file)).unwrap()
    };
    let found = read("external-secret");
    assert_eq!(found["apiVersion"], "external-secrets.io/v1");
    assert_eq!(
        found["spec"]["data"],
        serde_json::json!([
            {"secretKey": "HF_TOKEN", "remoteRef": {"key": "huggingface/token"}},
            {"secretKey": "DATABASE_URL", "remoteRef": {"key": "prod/app", "property": "DATABASE_URL", "version": "AWSPREVIOUS"}},
        ])
    );
    assert_eq!(
        read("compose"),
        serde_json::json!({"services": {"doppio": {"environment": ["HF_TOKEN", "DATABASE_URL"]}}})
    );
    assert_eq!(
        read("amlt"),
        serde_json::json!({"submit_args": {"env": {
            "HF_TOKEN": "$${{secrets.HF_TOKEN}}",
            "DATABASE_URL": "$${{secrets.DATABASE_URL}}",
        }}})
    );
    let ran = doppio.run(["secret", "export", "--format", "external-secret", "keyring:a/b"]).expect(2);
    assert!(ran.stderr.contains("a cluster can't read from this machine"), "{}", ran.stderr);
}

fn names(doppio: &Doppio) -> Vec<String> {
    let listed = doppio.run(["secret", "list", "--json"]).expect(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    listed.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// What is stored is what python-dotenv reads; where it reads something else, nothing is stored.
#[test]
fn values_are_those_of_other_readers_or_refused() {
    const REFUSED: [&str; 15] = [
        r"pa\\ss\$word\#1",
        r#"{\"a\":\"b\"}"#,
        "it's # comment",
        "a'b #c' # d",
        "#leading",
        r"trailing\ ",
        r#""dol\$lar""#,
        r"\'quoted\'",
        "odd\u{1c}space\u{1c}",
        r"'it\'s so'",
        r"'pa\\ss'",
        r#""dou\tble""#,
        "`in backquotes`",
        // A shell would work these out.
        "p$HOME/x ${X}",
        "back`tick`",
    ];
    const STORED: [&str; 16] = [
        "plain-value",
        "it's so",
        "a b c # comment",
        "a#b#c#d",
        r"new\nline",
        r"trailing\",
        "v=with=equals",
        "tab\there # x",
        "'single $x \\ y' # c",
        "'hash # in' # c",
        r#""dou\nble\\n""#,
        r#""quo\"te""#,
        "\"two\nlines # no comment\"",
        "\"hash # in\" # c",
        "  spaces around  ",
        "\u{e9}\u{a0}\u{e9}\u{a0}",
    ];
    let doppio = Doppio::with_vault();
    let lines: Vec<String> = REFUSED
        .iter()
        .map(|value| ("R", value))
        .chain(STORED.iter().map(|value| ("S", value)))
        .enumerate()
        .map(|(index, (kind, value))| format!("{kind}{index}={value}\n"))
        .collect();
    let file = doppio.file("t.env", lines.concat());
    let ran = doppio.run(["secret", "import", "t.env", "--prefix", "t", "--yes"]).expect(3);
    assert_eq!(ran.stdout.matches("refused  t/R").count(), REFUSED.len(), "{}", ran.stdout);
    let script = "import sys, dotenv, json\n\
        print(json.dumps(dotenv.dotenv_values(sys.argv[1], interpolate=False)))";
    let read = Command::new(venv::python()).args(["-c", script]).arg(&file).output().unwrap();
    let read: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    let names = names(&doppio);
    assert_eq!(names.len(), STORED.len(), "{names:?}");
    for name in names {
        let variable = name.strip_prefix("t/").unwrap();
        assert!(variable.starts_with('S'), "{name} was stored");
        assert_eq!(Some(doppio.reveal(&name).as_str()), read[variable].as_str(), "{variable}");
    }
}

#[test]
fn the_replacements_replace_every_form_and_are_for_one_user() {
    const VALUE: &str = "kQ7-zVbXmWnRtYpLsDfG8hJcKxZ2w";
    // As `git filter-repo` reads such a file.
    const SCRIPT: &str = "
import re, sys
text = open(sys.argv[1], 'rb').read()
for line in open(sys.argv[2], 'rb'):
    what, to = line.rstrip(b'\\r\\n').rsplit(b'==>', 1)
    text = re.sub(what[len(b'regex:'):], to, text)
sys.stdout.buffer.write(text)
";
    let doppio = Doppio::new().env("HF_TOKEN", VALUE).env("DOPPIO_KEYRING", "off");
    let repository = Repository::init(&doppio.folder().join("project"));
    let encoded = BASE64.encode(format!("user:{VALUE}").as_bytes());
    let text =
        format!("key: {VALUE}\nbasic: {encoded}\nbroken: {}\n        {}\n", &VALUE[..12], &VALUE[12..]);
    let conf = doppio.file("conf.yaml", text);
    repository.commit("one");
    let file = doppio.folder().join("replacements");
    let path = file.to_str().expect("UTF-8");
    let incident = ["secret", "incident", "huggingface/token", "--write-replacements", path];
    let ran = doppio.run(incident).expect(1);
    assert!(ran.stdout.contains(&format!("--replace-text {path}")), "{}", ran.stdout);
    assert!(!ran.stdout.contains(VALUE) && !ran.stderr.contains(VALUE), "{}", ran.stdout);
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    doppio.run(incident).expect(3);
    let out = Command::new("python3").args(["-c", SCRIPT]).arg(&conf).arg(&file).output().expect("python3");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::write(&conf, &out.stdout).expect("a file");
    let rewritten = String::from_utf8(out.stdout).expect("text");
    assert_eq!(rewritten.matches("***REMOVED***").count(), 3, "{rewritten}");
    doppio.run(["secret", "scan"]).expect(0);
}
