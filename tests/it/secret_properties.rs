//! Properties of stored values, through the real binary.

use crate::support::doppio::Doppio;

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
