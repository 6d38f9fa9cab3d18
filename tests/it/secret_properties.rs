//! Properties of stored values, through the real binary.

use crate::support::doppio::Doppio;

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
        assert!(ran.stderr.contains("there twice"), "{}", ran.stderr);
    }
}
