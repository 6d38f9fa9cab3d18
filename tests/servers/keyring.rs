//! The keychain: GNOME Keyring as a real Secret Service on a private bus.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use age::secrecy::ExposeSecret;

use doppio_test_support::Doppio;

use crate::support::secret_service::Bus;

const SERVICE: &str = "dev.doppio.secrets";

fn on(bus: &Bus) -> Doppio {
    Doppio::new().env("DBUS_SESSION_BUS_ADDRESS", bus.address())
}

/// What `secret-tool` finds under a name.
fn lookup(bus: &Bus, name: &str) -> String {
    let output = bus
        .command("secret-tool")
        .args(["lookup", "service", SERVICE, "username", name])
        .output()
        .expect("secret-tool is installed");
    String::from_utf8(output.stdout).unwrap()
}

fn store(bus: &Bus, name: &str, value: &str) {
    let mut child = bus
        .command("secret-tool")
        .args(["store", "--label=of the tests", "service", SERVICE, "username", name])
        .stdin(Stdio::piped())
        .spawn()
        .expect("secret-tool is installed");
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_doppio_wrote_secret_tool_reads_and_the_other_way_round() {
    let bus = Bus::with_keyring();
    let doppio = on(&bus);
    let value = "p$ss \"w'ord\\ é\nsecond line";
    let ran = doppio.run_with_stdin(["secret", "set", "team/key", "--from-stdin"], value).expect(0);
    assert!(ran.stderr.contains("stored `team/key` in the keychain"), "{}", ran.stderr);
    assert_eq!(lookup(&bus, "team/key"), value);
    assert!(!doppio.doppio_home().join("vault.age").exists());

    store(&bus, "other/key", value);
    let reveal = |name| doppio.run(["secret", "get", name, "--reveal", "--force"]).expect(0).stdout;
    assert_eq!(reveal("other/key"), value);

    // Both write over what the other wrote, and there is still one item.
    doppio.run_with_stdin(["secret", "set", "other/key", "--from-stdin"], "doppio wrote this").expect(0);
    assert_eq!(lookup(&bus, "other/key"), "doppio wrote this");
    store(&bus, "team/key", "secret-tool wrote this");
    assert_eq!(reveal("keyring:other/key"), "doppio wrote this");
    assert_eq!(reveal("team/key"), "secret-tool wrote this");

    doppio.run(["secret", "rm", "other/key"]).expect(0);
    assert_eq!(lookup(&bus, "other/key"), "");
}

#[test]
fn the_keychain_lists_with_age_note_and_expiry() {
    let bus = Bus::with_keyring();
    let doppio = on(&bus);
    let set =
        ["secret", "set", "b/key", "--from-stdin", "--note", "for the tests", "--expires", "2099-01-01"];
    doppio.run_with_stdin(set, "hunter2 hunter2").expect(0);
    store(&bus, "a/key", "hunter2 hunter2");
    let ran = doppio.run(["secret", "list", "--json"]).expect(0);
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&"a/key".into(), &"b/key".into()), "{list}");
    assert_eq!(
        (&list[1]["note"], &list[1]["expires"]),
        (&"for the tests".into(), &"2099-01-01T23:59:59Z".into())
    );
    assert_eq!(list.as_array().unwrap().len(), 2, "the probe left something: {list}");
    let ran = doppio.run(["secret", "get", "b/key"]).expect(0);
    assert!(ran.stdout.contains("keychain item `b/key`, set "), "{}", ran.stdout);
    // An empty note removes it.
    let set = ["secret", "set", "b/key", "--from-stdin", "--note", ""];
    doppio.run_with_stdin(set, "hunter2 hunter3").expect(0);
    let ran = doppio.run(["secret", "list"]).expect(0);
    assert!(!ran.stdout.contains("for the tests") && !ran.stdout.contains("expires"), "{}", ran.stdout);
}

#[test]
fn a_locked_keychain_ends_within_the_deadline_and_says_what_to_do() {
    let mut bus = Bus::with_keyring();
    let doppio = on(&bus);
    doppio.run_with_stdin(["secret", "set", "team/key", "--from-stdin"], "hunter2 hunter2").expect(0);
    bus.lock();
    let doppio = on(&bus);
    for arguments in [
        &["secret", "get", "team/key"][..],
        &["secret", "get", "team/key", "--reveal", "--force"],
        &["secret", "why", "team/key"],
        &["secret", "set", "new/key", "--from-stdin"],
        &["secret", "rm", "team/key"],
        &["secret", "suggest"],
    ] {
        let ran = doppio.run_with_stdin(arguments, "hunter2 hunter2");
        if arguments[1] == "suggest" {
            continue;
        }
        let ran = ran.expect(3);
        assert!(ran.stderr.contains("hint: unlock it"), "{arguments:?}: {}", ran.stderr);
        assert!(!(ran.stdout + &ran.stderr).contains("hunter2"));
    }
    // What stands above the keychain is found all the same, and the settings may pass it by.
    let doppio = doppio.env("TEAM_KEY", "hunter2 in env");
    doppio.run(["secret", "get", "team/key"]).expect(0);
    fs::write(doppio.doppio_home().join("config.toml"), "keyring = false\n").unwrap();
    let ran = doppio.run(["secret", "get", "gone/key"]).expect(3);
    assert!(ran.stderr.contains("is not set"), "{}", ran.stderr);
}

#[test]
fn a_bus_that_never_answers_ends_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus");
    // Connections are taken by the kernel; nobody reads them.
    let _listener = UnixListener::bind(&socket).unwrap();
    let doppio = Doppio::new().env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    let ran = doppio.run(["secret", "get", "team/key"]).expect(3);
    assert!(ran.stderr.contains("did not answer within 5 s"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: unlock it"), "{}", ran.stderr);
}

#[test]
fn where_there_is_no_keychain_it_counts_as_not_there() {
    let bus = Bus::empty();
    for address in ["unix:path=/nonexistent/bus", bus.address()] {
        let doppio = Doppio::new().env("DBUS_SESSION_BUS_ADDRESS", address);
        let ran = doppio.run(["secret", "get", "team/key"]).expect(3);
        assert!(ran.stderr.contains("secret `team/key` is not set"), "{address}: {}", ran.stderr);
        let ran = doppio.run(["secret", "why", "team/key"]).expect(3);
        assert!(ran.stdout.contains("skipped: this machine has no keychain"), "{address}: {}", ran.stdout);
        let set = ["secret", "set", "team/key", "--from-stdin", "--in", "keyring"];
        let ran = doppio.run_with_stdin(set, "hunter2 hunter2").expect(3);
        assert!(ran.stderr.contains("no keychain"), "{address}: {}", ran.stderr);
    }
}

/// There was a bus, and it died: that is another thing than a machine without one.
#[test]
fn a_bus_that_refuses_is_no_missing_keychain() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let doppio = Doppio::new().env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    for reference in ["keyring:team/key?none", "team/key?none", "team/key"] {
        let ran = doppio.run(["secret", "get", reference, "--reveal", "--force"]).expect(3);
        assert!(ran.stderr.contains("the keychain can't be opened"), "{reference}: {}", ran.stderr);
    }
    // On a machine without a keychain a name goes on, and whoever names the keychain means it.
    let none = Doppio::new();
    assert_eq!(none.reveal("team/key?none"), "none");
    for command in ["get", "why"] {
        let ran = none.run(["secret", command, "keyring:team/key?none"]).expect(3);
        assert!((ran.stdout + &ran.stderr).contains("this machine has no keychain"), "{command}");
    }
}

#[test]
fn the_keychain_holds_the_key_of_a_vault() {
    let mut bus = Bus::with_keyring();
    let doppio = on(&bus);
    let set = ["secret", "set", "team/key", "--from-stdin", "--in", "file"];
    let ran = doppio.run_with_stdin(set, "hunter2 hunter2").expect(0);
    assert!(ran.stderr.contains("locked with a key in the keychain"), "{}", ran.stderr);
    assert_eq!(lookup(&bus, "team/key"), "");
    let ran = doppio.run(["secret", "get", "team/key", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, "hunter2 hunter2");
    bus.lock();
    let ran = doppio.run(["secret", "get", "file:team/key"]).expect(3);
    assert!(ran.stderr.contains("the age vault's key is not available from the keychain"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: unlock it"), "{}", ran.stderr);
    // Nor is another key to blame that is tried beside it.
    let identity = doppio.private("identity", age::x25519::Identity::generate().to_string().expose_secret());
    let doppio = doppio.env("DOPPIO_VAULT_IDENTITY", &identity);
    let ran = doppio.run(["secret", "get", "file:team/key"]).expect(3);
    assert!(ran.stderr.contains("identity` does not open the age vault"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("and the age vault's key is not available from the keychain"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint: unlock it"), "{}", ran.stderr);
}

/// A keychain keeps no versions: `rotate` leaves the old value beside the new one.
#[test]
fn what_rotate_kept_beside_a_secret_can_be_gone_back_to() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    doppio.store("t/a", "hunter2 one");
    doppio.run_with_stdin(["secret", "rotate", "t/a", "--from-stdin"], "hunter2 two").expect(0);
    for value in ["hunter2 one", "hunter2 two", "hunter2 one"] {
        doppio.run(["secret", "rollback", "t/a@previous"]).expect(0);
        assert_eq!(doppio.reveal("t/a"), value);
    }
    let ran = doppio.run(["secret", "rollback", "t/a@7"]).expect(2);
    assert!(ran.stderr.contains("`@previous`"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "mv", "t/a", "t/b"]).expect(0);
    assert!(ran.stderr.contains("doppio secret rm t/a.previous"), "{}", ran.stderr);
    doppio.run(["secret", "mv", "t/b", "t/a"]).expect(0);
    let ran = doppio.run(["secret", "rm", "t/a"]).expect(0);
    assert!(ran.stderr.contains("doppio secret rm t/a.previous"), "{}", ran.stderr);
}

#[test]
fn a_secret_of_somebody_with_such_a_name_is_not_gone_back_to() {
    let bus = Bus::with_keyring();
    let doppio = Doppio::with_vault().env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    doppio.store("t/a", "hunter2 one");
    doppio.store("t/a.previous", "hunter2 mine");
    let ran = doppio.run(["secret", "rollback", "t/a@previous"]).expect(2);
    assert!(ran.stderr.contains("`t/a.previous` is a separate secret"), "{}", ran.stderr);
    assert_eq!(doppio.reveal("t/a"), "hunter2 one");
}

// case J14
#[test]
fn a_keychain_that_is_locked_or_not_there_has_its_own_words() {
    let mut bus = Bus::with_keyring();
    let doppio = on(&bus);
    assert!(doppio.run(["doctor"]).stdout.contains("the keychain keeps what is written to it"));
    bus.lock();
    let ran = on(&bus).run(["doctor"]);
    let line = ran.stdout.lines().find(|line| line.contains("keychain")).unwrap();
    assert!(line.contains("locked") && !line.starts_with("ok"), "{}", ran.stdout);
    let doppio = Doppio::with_vault();
    for arguments in [
        &["secret", "get", "keyring:team/key"][..],
        &["secret", "set", "team/key", "--from-stdin", "--in", "keyring"],
    ] {
        let ran = doppio.run_with_stdin(arguments, "hunter2 hunter2").expect(3);
        assert!(ran.stderr.contains("apt install gnome-keyring"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`doppio secret set team/key --in file`"), "{}", ran.stderr);
    }
}
