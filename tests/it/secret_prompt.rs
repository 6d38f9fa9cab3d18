//! What is typed at a hidden prompt is never seen.

use std::fs;

use doppio_test_support::Doppio;

#[test]
fn a_note_with_a_value_in_it_is_refused() {
    let doppio = Doppio::with_vault();
    for note in ["pw is abcdef12 ok", &format!("see hf_{}", "a1".repeat(17))] {
        let set = ["secret", "set", "a/key", "--from-stdin", "--note", note];
        let ran = doppio.run_with_stdin(set, "abcdef12").expect(2);
        assert!(ran.stderr.contains("the note contains a value"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("abcdef12"), "{}", ran.stderr);
    }
    doppio
        .run_with_stdin(["secret", "set", "a/key", "--from-stdin", "--note", "of the team"], "abcdef12")
        .expect(0);
}

#[test]
fn what_could_never_be_read_again_is_not_stored() {
    let doppio = Doppio::with_vault();
    for value in ["    ", "    a", "ab\n\n", "\ta\tb \n"] {
        let ran = doppio.run_with_stdin(["secret", "set", "a/key", "--from-stdin"], value);
        assert!(ran.expect(2).stderr.contains("too short to be masked"), "{value:?}");
    }
}

/// Nothing but a hand takes a vault away and leaves its older generation.
#[test]
fn a_vault_that_was_taken_away_is_not_begun_anew() {
    let doppio = Doppio::with_vault();
    for name in ["a/1", "a/2"] {
        doppio.store(name, "hunter2 one");
    }
    let vault = doppio.doppio_home().join("vault.age");
    let older = doppio.doppio_home().join("vault.age.previous");
    fs::remove_file(&vault).unwrap();
    for arguments in [&["secret", "list"][..], &["secret", "get", "a/1"]] {
        let ran = doppio.run(arguments).expect(3);
        assert!(ran.stderr.contains("is gone, and its older generation"), "{}", ran.stderr);
        assert!(ran.stderr.contains("cp -p"), "{}", ran.stderr);
    }
    let before = fs::read(&older).unwrap();
    doppio.run_with_stdin(["secret", "set", "b/1", "--from-stdin", "--in", "file"], "hunter2 two").expect(3);
    assert_eq!(fs::read(&older).unwrap(), before);
    fs::copy(&older, &vault).unwrap();
    assert_eq!(doppio.reveal("a/1"), "hunter2 one");
}

#[test]
fn a_value_among_the_arguments_is_never_repeated() {
    let doppio = Doppio::with_vault();
    doppio.store("a/key", "hunter2 one");
    let token = format!("hf_{}", "a1".repeat(17));
    for arguments in [
        &["rotate", "a/key", &token][..],
        &["get", &token],
        &["rm", &token],
        &["why", &token],
        &["mv", "a/key", &token],
        &["incident", &token],
        &["rotate", "a/key", "hunter2-two"],
        &["history", "a/key", "hunter2-two"],
    ] {
        let ran = doppio.run([&["secret"][..], arguments].concat()).expect(2);
        assert!(!ran.stderr.contains("a1a1") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[test]
fn stdin_is_for_one_of_value_and_passphrase() {
    let doppio = Doppio::with_vault().env("DOPPIO_PASSPHRASE_FD", "0");
    let ran = doppio.run_with_stdin(["secret", "set", "a/key", "--from-stdin"], "hunter2 one").expect(2);
    assert!(ran.stderr.contains("stdin carries the passphrase"), "{}", ran.stderr);
}

#[test]
fn a_note_may_have_words_that_are_in_a_value() {
    let doppio = Doppio::with_vault();
    let set = ["secret", "set", "a/config", "--from-stdin", "--note", "production config"];
    doppio.run_with_stdin(set, "{\"mode\": \"production\", \"password\": \"hunter2-one\"}").expect(0);
}
