//! `doppio secret mv`, `history`, `rollback`, `list` and `rm` through the real binary.

use doppio_test_support::Doppio;

/// The text without what differs from run to run: ages.
fn settled(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let before = words.len();
        if word.starts_with("ago") && before >= 2 {
            words.truncate(before - 2);
            words.push("N seconds".to_owned());
        }
        words.push(word.to_owned());
    }
    words.join(" ")
}

#[test]
fn a_secret_moves_with_its_history() {
    let doppio = Doppio::with_vault();
    doppio.store("hf/token", "hunter2 one");
    doppio.store("hf/token", "hunter2 two");
    doppio.store("other", "hunter2 three");
    doppio.file(
        "train.toml",
        "[recipe]\nname = 't'\n[[step]]\nid = 'a'\nrun_commands = { commands = [\"${secret:hf/token}\"] }\n",
    );
    let ran = doppio.run(["secret", "mv", "hf/token", "other"]).expect(2);
    insta::assert_snapshot!(ran.stderr, @"
    error: the age vault already has a `other`

    hint: if it is not needed, run `doppio secret rm other --in file` first
    ");
    let ran = doppio.run(["secret", "mv", "hf/token", "huggingface/token"]).expect(0);
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.stderr, @"
    moved `hf/token` to `huggingface/token` in the age vault
    note: `train.toml` still names `hf/token`: write `huggingface/token` there
    ");
    assert_eq!(doppio.reveal("huggingface/token"), "hunter2 two");
    assert_eq!(doppio.reveal("huggingface/token@1"), "hunter2 one");
    assert_eq!(doppio.reveal("other"), "hunter2 three");
    doppio.run(["secret", "get", "hf/token"]).expect(3);
    let ran = doppio.run(["secret", "mv", "hf/token", "x"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: `hf/token` is not stored in the keychain or the age vault

    hint: run `doppio secret why hf/token` to see where it comes from
    ");
    doppio.run(["secret", "mv", "other", "other"]).expect(2);
    doppio.run(["secret", "mv", "other", "x", "--in", "env"]).expect(2);
}

#[test]
fn an_older_value_comes_back_as_a_new_version() {
    let doppio = Doppio::with_vault();
    for value in ["hunter2 one", "hunter2 two", "hunter2 three"] {
        doppio.store("team/key", value);
    }
    let ran = doppio.run(["secret", "history", "team/key"]).expect(0);
    insta::assert_snapshot!(settled(&ran.stdout), @"
    team/key@3  set N seconds ago  in use
    team/key@2  set N seconds ago
    team/key@1  set N seconds ago
    ");
    let ran = doppio.run(["secret", "rollback", "team/key@1"]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"
    `team/key` is version 4 now, with the value of version 1
    undo it with `doppio secret rollback team/key@3`
    ");
    assert_eq!(doppio.reveal("team/key"), "hunter2 one");
    assert_eq!(doppio.reveal("team/key@previous"), "hunter2 three");
    let ran = doppio.run(["secret", "rollback", "team/key@1"]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"`team/key` already has the value of version 1: nothing was changed");
    let ran = doppio.run(["secret", "history", "team/key", "--json"]).expect(0);
    let versions: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(versions.as_array().unwrap().len(), 4);
    assert_eq!((&versions[0]["version"], &versions[0]["current"]), (&"4".into(), &true.into()));
    let ran = doppio.run(["secret", "rollback", "team/key@9"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: cannot go back to `team/key@9` in the age vault
      cause: it does not exist

    hint: `doppio secret history team/key` lists the versions
    ");
    for wrong in ["team/key", "file:team/key@1", "team/key#a@1"] {
        doppio.run(["secret", "rollback", wrong]).expect(2);
    }
    doppio.run(["secret", "history", "gone"]).expect(3);
}

#[test]
fn one_place_or_all_are_listed_and_emptied() {
    let doppio = Doppio::with_vault();
    doppio.store("a/key", "hunter2 one");
    doppio.store("b/key", "hunter2 two");
    let ran = doppio.run(["secret", "list"]).expect(0);
    insta::assert_snapshot!(settled(&ran.stdout), @"
    a/key  file  set N seconds ago
    b/key  file  set N seconds ago
    ");
    assert_eq!(
        settled(&doppio.run(["secret", "list", "--in", "file"]).expect(0).stdout),
        settled(&ran.stdout)
    );
    let ran = doppio.run(["secret", "list", "--in", "keyring"]).expect(3);
    assert!(ran.stderr.contains("cannot list the keychain"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "list", "--in", "env"]).expect(2);
    assert!(ran.stderr.contains("Doppio can't list"), "{}", ran.stderr);
    doppio.run(["secret", "list", "--in", "fiel"]).expect(2);

    let ran = doppio.run(["secret", "rm", "a/key", "--in", "keyring"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: `a/key` is not stored in the keychain

    hint: run `doppio secret why a/key` to see where it comes from
    ");
    doppio.run(["secret", "rm", "a/key", "--in", "file"]).expect(0);
    doppio.run(["secret", "rm", "b/key", "--in", "env"]).expect(2);
    assert_eq!(doppio.run(["secret", "list", "--json"]).expect(0).stdout.matches("\"name\"").count(), 1);
}

#[test]
fn a_list_tells_when_a_secret_was_last_used() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    doppio.store("team/idle", "hunter2 two");
    doppio.file(
        "use.toml",
        "[recipe]\nname = 'use'\n[[step]]\nid = 'a'\nlocal_command = { command = 'test -n \"$K\"', env = { K = '${secret:team/key}' } }\n",
    );
    doppio.run(["run", "use.toml"]).expect(0);
    let ran = doppio.run(["secret", "list", "--json"]).expect(0);
    let items: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&items[0]["name"], &items[0]["last_use"]), (&"team/idle".into(), &serde_json::Value::Null));
    assert_eq!((&items[1]["name"], &items[1]["last_use"]["step"]), (&"team/key".into(), &"a".into()));
    assert!(doppio.run(["secret", "list"]).expect(0).stdout.contains("used "));
}

#[test]
fn notes_command_no_terminal() {
    let doppio = Doppio::with_vault();
    let note = "evil\u{1b}[31m\nline\u{202e}";
    let set = ["secret", "set", "t/a", "--from-stdin", "--note", note];
    doppio.run_with_stdin(set, "hunter2 one").expect(0);
    let ran = doppio.run(["secret", "list"]).expect(0);
    assert!(ran.stdout.contains("evil\\u{1b}[31m\\nline\\u{202e}"), "{:?}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
}
