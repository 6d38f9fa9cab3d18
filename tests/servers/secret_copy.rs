//! `doppio secret copy` between the keychain and the age vault, through the real binary.

use doppio_test_support::Doppio;

use crate::support::secret_service::Bus;

#[test]
fn a_keychain_moves_into_the_vault_and_a_second_try_goes_on() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    let multi = "one\ntwo $X 'q'\n";
    doppio.store("a/key", "hunter2 one");
    let noted = ["secret", "set", "b/key", "--from-stdin", "--note", "n", "--expires", "2099-01-01"];
    doppio.run_with_stdin(noted, multi).expect(0);
    // One of them already exists, as after a copy that was broken off; one is another.
    doppio
        .run_with_stdin(["secret", "set", "a/key", "--from-stdin", "--in", "file"], "hunter2 one")
        .expect(0);
    doppio.run_with_stdin(["secret", "set", "c/key", "--from-stdin"], "hunter2 three").expect(0);
    doppio
        .run_with_stdin(["secret", "set", "c/key", "--from-stdin", "--in", "file"], "hunter2 other")
        .expect(0);

    let copy = ["secret", "copy", "--from", "keyring", "--to", "file"];
    let ran = doppio.run(copy.into_iter().chain(["--dry-run"])).expect(0);
    insta::assert_snapshot!(ran.stdout, @"
    same     a/key  keyring:a/key
    new      b/key  keyring:b/key
    differs  c/key  keyring:c/key
    ");
    insta::assert_snapshot!(ran.stderr, @"1 secret would be written to the age vault; nothing was done");
    doppio.run(copy).expect(2);
    let ran = doppio.run(copy.into_iter().chain(["--yes"])).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    wrote 1 secret to the age vault, and verified each
    error: 1 secret in the age vault differs and was left alone

    hint: repeat the command with `--override` to replace what is there
    ");
    assert_eq!(doppio.reveal("file:b/key"), multi);
    assert_eq!(doppio.reveal("file:c/key"), "hunter2 other");
    doppio.run(copy.into_iter().chain(["c/key", "--yes", "--override"])).expect(0);
    assert_eq!(doppio.reveal("file:c/key"), "hunter2 three");
    let ran = doppio.run(copy.into_iter().chain(["--yes"])).expect(0);
    insta::assert_snapshot!(ran.stderr, @"there is nothing to write to the age vault");
    let listed = doppio.run(["secret", "list", "--in", "file", "--json"]).expect(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed[1]["note"], &listed[1]["expires"]), (&"n".into(), &"2099-01-01T23:59:59Z".into()));

    doppio.run(["secret", "copy", "--from", "file", "--to", "file"]).expect(2);
    doppio.run(["secret", "copy", "--from", "file", "--to", "env"]).expect(2);
    let ran = doppio.run(copy.into_iter().chain(["gone", "--yes"])).expect(3);
    assert!(ran.stderr.contains("cannot read `gone` from the keychain"), "{}", ran.stderr);
}

#[test]
fn a_move_in_the_keychain_keeps_the_value_and_leaves_no_copy() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    doppio.store("a/key", "hunter2 one");
    doppio.store("taken", "hunter2 two");
    doppio.run(["secret", "mv", "a/key", "taken"]).expect(2);
    let ran = doppio.run(["secret", "mv", "a/key", "b/key"]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"moved `a/key` to `b/key` in the keychain");
    assert_eq!(doppio.reveal("keyring:b/key"), "hunter2 one");
    doppio.run(["secret", "get", "keyring:a/key"]).expect(3);
    let ran = doppio.run(["secret", "history", "b/key"]).expect(2);
    assert!(ran.stderr.contains("the keychain keeps no versions"), "{}", ran.stderr);
    doppio.run(["secret", "rollback", "b/key@1"]).expect(2);
}

#[test]
fn a_rotation_in_the_keychain_keeps_the_old_value_under_a_name_of_its_own() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    doppio.store("team/key", "hunter2 one");
    let ran =
        doppio.run_with_stdin(["secret", "rotate", "team/key", "--from-stdin"], "hunter2 two").expect(0);
    insta::assert_snapshot!(ran.stderr, @"
    `team/key` has its new value in the keychain; the old one is kept as `team/key.previous`
    as far as this machine knows, nobody got the old value
    ");
    assert_eq!(doppio.reveal("team/key"), "hunter2 two");
    assert_eq!(doppio.reveal("team/key.previous"), "hunter2 one");
    // case J4
    assert_eq!(doppio.reveal("team/key@previous"), "hunter2 one");
    doppio.run(["secret", "get", "keyring:team/key.pending"]).expect(3);
    let listed = doppio.run(["secret", "list"]).expect(0).stdout;
    assert!(listed.contains("previous value of team/key"), "{listed}");
    // What got out is likely the old one.
    doppio.file("leak.txt", "x hunter2 one\n");
    let ran = doppio.run(["secret", "incident", "team/key"]).expect(1);
    assert!(ran.stdout.contains("leak.txt, line 1, column 3 (team/key.previous, plain)"), "{}", ran.stdout);
}

#[test]
fn older_versions_that_are_not_imported_are_told_before_they_go() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    for value in ["hunter2 one", "hunter2 two"] {
        doppio.run_with_stdin(["secret", "set", "a/key", "--from-stdin", "--in", "file"], value).expect(0);
    }
    let import = ["secret", "import", "--from", "file", "--in", "keyring", "--remove-source"];
    let (code, shown) = doppio.at_terminal(&import, &[("write 1 secret", "y"), ("anyway", "n")]);
    assert!(code == 0 && shown.contains("older version of `a/key`"), "{code}: {shown}");
    assert_eq!(doppio.reveal("file:a/key@1"), "hunter2 one");
    let ran = doppio.run(import.into_iter().chain(["--yes"])).expect(0);
    assert!(
        ran.stderr.contains("the older version of `a/key` in the age vault was not imported"),
        "{}",
        ran.stderr
    );
    doppio.run(["secret", "get", "file:a/key"]).expect(3);
    assert_eq!(doppio.reveal("keyring:a/key"), "hunter2 two");
}

/// `expect` lets somebody else store it before it types the answer.
#[test]
fn what_somebody_stores_while_the_question_stands_is_not_replaced() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off").env("THEIRS", "hunter2 theirs");
    doppio.file("mine.env", "A_KEY=hunter2-mine\n");
    let theirs = format!(
        "[exec {} secret set a/key --from-env THEIRS --in file 2> /dev/null]y",
        env!("CARGO_BIN_EXE_doppio")
    );
    let import = ["secret", "import", "mine.env", "--map", "A_KEY=a/key", "--in", "file"];
    let (code, shown) = doppio.at_terminal(&import, &[("write 1 secret", &theirs)]);
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("was stored in the age vault while you were asked"), "{shown}");
    assert_eq!(doppio.reveal("file:a/key"), "hunter2 theirs");
}

/// Paths of other sources may be no names: the vault refuses those, and takes the others.
#[cfg(feature = "aws")]
#[test]
fn what_the_target_can_not_take_does_not_hold_up_the_others() {
    use crate::support::aws::Moto;

    let keys = Moto::shared().keys("AKIDCOPY");
    for name in ["copying/good", "copying/od=d+"] {
        keys.cli(&["secretsmanager", "create-secret", "--name", name, "--secret-string", "hunter2 one"]);
    }
    let doppio = Doppio::with_vault();
    let doppio = keys.variables().into_iter().fold(doppio, |doppio, (name, value)| doppio.env(name, value));
    let copy = ["secret", "copy", "--from", "aws", "--to", "file", "copying/good", "copying/od=d+", "--yes"];
    let ran = doppio.run(copy).expect(3);
    assert!(ran.stdout.contains("refused  copying/od=d+"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(doppio.reveal("file:copying/good"), "hunter2 one");
}
