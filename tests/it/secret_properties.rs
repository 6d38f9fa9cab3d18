//! Properties of stored values, through the real binary.

use doppio_test_support::Doppio;

#[test]
fn a_member_is_one_whatever_stands_beside_it() {
    let doppio = Doppio::with_vault();
    doppio.store("db/ini", "[db]\nport = 5432\n");
    doppio.store("db/more", "[db]\nport = 5432\nuser = bob\n");
    for name in ["db/ini", "db/more"] {
        assert_eq!(doppio.reveal(&format!("{name}#port?none")), "5432");
    }
    doppio.store("db/env", "A=\"p\\u0041ss-hunter2\"\n");
    let ran = doppio.run(["secret", "get", "db/env#A?none", "--reveal", "--force"]).expect(3);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("TOML and dotenv read this property differently"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn of_a_key_that_is_there_twice_none_is_taken() {
    let doppio = Doppio::with_vault();
    for (name, text) in [
        ("twice/toml", "a = \"hunter1-hunter1\"\na = \"hunter2-hunter2\"\n"),
        ("twice/env", "a=hunter1-hunter1\na=hunter2-hunter2\n"),
    ] {
        doppio.store(name, text);
        let ran = doppio.run(["secret", "get", &format!("{name}#a"), "--reveal", "--force"]).expect(3);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("occurs twice"), "{}", ran.stderr);
    }
}

/// A hint that says to set the name again would have the document replaced.
#[test]
fn a_missing_member_is_no_reason_to_replace_the_record() {
    let doppio = Doppio::with_vault().env("DOC", r#"{"a": "hunter2"}"#);
    doppio.store("team/doc", r#"{"a": "hunter2"}"#);
    for reference in ["team/doc#port", "file:team/doc#port", "env:DOC#port"] {
        for command in ["get", "why"] {
            let ran = doppio.run(["secret", command, reference]).expect(3);
            let told = ran.stderr;
            assert!(told.contains(&format!("`{reference}` is not")), "{told}");
            assert!(told.contains("exists, but has no `port`: add it to the value"), "{told}");
            assert!(!told.contains("secret set") && !told.contains("hunter2"), "{told}");
        }
    }
    let ran = doppio.run(["secret", "get", "team/gone#port"]).expect(3);
    assert!(ran.stderr.contains("run `doppio secret set team/gone`"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "why", "team/doc#port"]).expect(3);
    assert!(ran.stdout.contains("6. the age vault: `team/doc#port` -> not found"), "{}", ran.stdout);
}

#[test]
fn what_only_resembles_a_placeholder_is_stored() {
    let doppio = Doppio::with_vault();
    for value in ["[\"hunter-x0\",\"hunter-x1\"]", "abc-your-xyz-99", &"x".repeat(65_000)] {
        doppio.store("team/value", value);
        assert_eq!(doppio.reveal("team/value"), value);
    }
    let env = doppio.file("values.env", "HOSTS='[\"a-host.example\",\"b-host.example\"]'\n");
    let ran = doppio.run(["secret".as_ref(), "import".as_ref(), env.as_os_str()]);
    assert!(!ran.stderr.contains("is only a placeholder") && !ran.stdout.contains("refused"), "{ran:?}");
    doppio.run_with_stdin(["secret", "set", "team/value", "--from-stdin"], "[your token]").expect(2);
}
