//! Parts of stored values: what a command prints of them is masked, through the real binary.

use doppio_test_support::Doppio;

/// What `script` prints with the value `value` in `$V`.
fn printed(doppio: &Doppio, value: &str, script: &str) -> String {
    doppio.store("team/value", value);
    doppio.run(["secret", "exec", "V=team/value", "--", "sh", "-c", script]).expect(0).stdout
}

#[test]
fn what_a_value_sets_is_masked_alone() {
    let doppio = Doppio::with_vault();
    let second = |by: &str| format!("printf '%s\\n' \"$V\" | cut -d\\{by} -f2");
    for (value, script) in [
        ("API_KEY=abcdef123456zz", "eval \"$V\"; echo \"$API_KEY\"".to_owned()),
        ("export API_KEY=abcdef123456zz # of the team", "eval \"$V\"; echo \"$API_KEY\"".to_owned()),
        ("password: 'hunterhunter99'", second("'")),
        ("{\"password\": 8675309123}", "printf %s \"$V\" | tr -dc 0-9; echo".to_owned()),
        ("password: 8675309123\nport: 5432\n", "printf %s \"$V\" | grep pass | tr -dc 0-9; echo".to_owned()),
        (
            "tokens:\n- tok-hunter-aaaa3\n- tok-hunter-bbbb4\n",
            "printf %s \"$V\" | sed -n 's/^- //p' | head -1".to_owned(),
        ),
        ("list = [\"tok-list-aaaa\", \"tok-list-bbbb\"]", second("\"")),
        ("inline = { secret = \"inl-secret-1\" }", second("\"")),
    ] {
        assert_eq!(printed(&doppio, value, &script), "***\n", "{value}");
    }
}

#[test]
fn plain_words_beside_it_are_shown() {
    let doppio = Doppio::with_vault();
    let value = "MODE=production\nAUTH=basic\nPORT=5432\nAPI_KEY=abcdef123456zz\n";
    let out = printed(&doppio, value, "echo production basic 5432 author");
    assert_eq!(out, "production basic 5432 author\n");
}

/// What a rented host prints is taken apart, too.
#[test]
fn a_value_that_is_very_deep_breaks_nothing() {
    let deep = format!("{}\"hunter2-deep\"{}", "[".repeat(20_000), "]".repeat(20_000));
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("DEEP", &deep);
    let ran = doppio.run(["secret", "get", "env:DEEP", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, deep);
}
