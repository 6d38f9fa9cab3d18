//! One contract for all sources, through the real binary, each with its server behind it.

mod machine;
mod unreachable;

use doppio::sources::SOURCES;
use doppio_secrets::source::Kind;
use doppio_test_support::Doppio;
use doppio_test_support::Ran;

use machine::Keeps;
use machine::VALUE;
use machine::World;
use machine::keeps;
use machine::limits;
use machine::machine;
use machine::paths;

fn set(doppio: &Doppio, scheme: &str, path: &str, value: impl AsRef<[u8]>) -> Ran {
    doppio.run_with_stdin(["secret", "set", path, "--from-stdin", "--in", scheme], value)
}

fn reveal(doppio: &Doppio, reference: &str) -> Ran {
    doppio.run(["secret", "get", reference, "--reveal", "--force"])
}

#[test]
fn every_source_keeps_the_contract() {
    let world = World::new();
    let doppio = machine(&world);
    for kind in SOURCES.all() {
        writing(&doppio, kind);
        reading(&doppio, kind.scheme);
        missing(&doppio, kind.scheme);
        remarks(&world, &doppio, kind);
        versions(&doppio, kind);
        listing_and_removing(&doppio, kind);
    }
    world.expect_no_faults();
}

/// What can't be written to says so.
fn writing(doppio: &Doppio, kind: &Kind) {
    let path = if kind.writes { paths(kind.scheme).0 } else { "contract/key" };
    set(doppio, kind.scheme, path, VALUE).expect(if kind.writes { 0 } else { 2 });
}

/// Byte for byte, and no value where only the place is asked for.
fn reading(doppio: &Doppio, scheme: &str) {
    let reference = format!("{scheme}:{}", paths(scheme).0);
    assert_eq!(reveal(doppio, &reference).expect(0).stdout, VALUE, "{scheme}");
    let ran = doppio.run(["secret", "get", &reference]).expect(0);
    assert!(ran.stdout.starts_with(&format!("{reference} = *** (")), "{scheme}: {}", ran.stdout);
    assert!(!ran.stdout.contains("hunter2"), "{scheme}");
    let ran = doppio.run(["secret", "why", &reference]).expect(0);
    assert!(ran.stdout.contains("used") && !ran.stdout.contains("hunter2"), "{scheme}: {}", ran.stdout);
}

/// A new value keeps the note, and has no expiry of the one before.
fn remarks(world: &World, doppio: &Doppio, kind: &Kind) {
    if !kind.writes {
        return;
    }
    let (scheme, path) = (kind.scheme, paths(kind.scheme).0);
    let set = |value, said: &[&str]| {
        let set = ["secret", "set", path, "--from-stdin", "--in", scheme];
        doppio.run_with_stdin([&set[..], said].concat(), value).expect(0);
        let ran = doppio.run(["secret", "list", "--in", scheme, "--json"]).expect(0);
        let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{scheme}");
        let of = |key: &str| list[0][key].as_str().map(str::to_owned);
        // The server lists names alone.
        if scheme == "vault" { world.beside_record(path) } else { (of("note"), of("expires")) }
    };
    let Keeps { note, expires } = keeps(scheme);
    let kept = |is: bool, text: &str| is.then(|| text.to_owned());
    let note = kept(note, "of the contract");
    let end = kept(expires, "2099-01-01T23:59:59Z");
    let said = ["--note", "of the contract", "--expires", "2099-01-01"];
    assert_eq!(set("the first value", &said), (note.clone(), end), "{scheme}");
    assert_eq!(set(VALUE, &[]), (note, None), "{scheme}");
}

/// A default stands in for a value, and without one the error says what to do.
fn missing(doppio: &Doppio, scheme: &str) {
    let reference = format!("{scheme}:{}", paths(scheme).1);
    let ran = reveal(doppio, &reference).expect(3);
    assert!(ran.stderr.contains("is not set"), "{scheme}: {}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{scheme}: {}", ran.stderr);
    let ran = reveal(doppio, &format!("{reference}?stands in")).expect(0);
    assert_eq!(ran.stdout, "stands in", "{scheme}");
}

/// Versions are listed and read, or said not to be kept.
fn versions(doppio: &Doppio, kind: &Kind) {
    let (scheme, path) = (kind.scheme, paths(kind.scheme).0);
    let version = |id: &str| reveal(doppio, &format!("{scheme}:{path}@{id}"));
    if !kind.versions {
        let ran = version("1").expect(3);
        assert!(ran.stderr.contains("keeps no versions"), "{scheme}: {}", ran.stderr);
        return;
    }
    let ran = doppio.run(["secret", "history", path, "--in", scheme, "--json"]).expect(0);
    let history: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((history.as_array().unwrap().len(), &history[0]["current"]), (3, &true.into()), "{scheme}");
    let first = history[0]["version"].as_str().unwrap();
    set(doppio, scheme, path, "another").expect(0);
    assert_eq!(version(first).expect(0).stdout, VALUE, "{scheme}");
    // The same form, and no version of this secret.
    let other = first.replace(|symbol: char| symbol.is_ascii_alphanumeric(), "9");
    version(&other).expect(3);
    doppio.run(["secret", "rollback", &format!("{path}@{first}"), "--in", scheme]).expect(0);
    assert_eq!(reveal(doppio, &format!("{scheme}:{path}")).expect(0).stdout, VALUE, "{scheme}");
}

fn listing_and_removing(doppio: &Doppio, kind: &Kind) {
    if !kind.writes {
        return;
    }
    let (scheme, path) = (kind.scheme, paths(kind.scheme).0);
    let ran = doppio.run(["secret", "list", "--in", scheme]).expect(0);
    assert!(ran.stdout.contains(path) && !ran.stdout.contains("hunter2"), "{scheme}: {}", ran.stdout);
    doppio.run(["secret", "rm", path, "--in", scheme]).expect(0);
    doppio.run(["secret", "rm", path, "--in", scheme]).expect(3);
    reveal(doppio, &format!("{scheme}:{path}")).expect(3);
}

#[test]
fn values_up_to_the_limit_go_there_and_back() {
    let world = World::new();
    let doppio = machine(&world);
    for Kind { scheme, .. } in SOURCES.all().filter(|kind| kind.writes) {
        let (path, longest) = (paths(scheme).0, limits(scheme).longest);
        let value = "0123456789abcdef".repeat(4 << 10);
        set(&doppio, scheme, path, &value[..longest]).expect(0);
        let reference = format!("{scheme}:{path}");
        assert_eq!(reveal(&doppio, &reference).expect(0).stdout, value[..longest], "{scheme}");
        if longest < value.len() {
            let ran = set(&doppio, scheme, path, &value).expect(2);
            assert!(ran.stderr.contains("accepts no value over"), "{scheme}: {}", ran.stderr);
            assert_eq!(reveal(&doppio, &reference).expect(0).stdout, value[..longest], "{scheme}");
        }
    }
    world.expect_no_faults();
}

#[test]
fn bytes_that_are_no_text_are_kept_or_refused() {
    let world = World::new();
    let doppio = machine(&world);
    let bytes = b"\xff\xfe hunter2 \x80";
    for Kind { scheme, .. } in SOURCES.all().filter(|kind| kind.writes) {
        let path = paths(scheme).0;
        let ran = set(&doppio, scheme, path, bytes);
        if limits(scheme).only_text {
            let ran = ran.expect(2);
            assert!(ran.stderr.contains("base64") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
            continue;
        }
        ran.expect(0);
        let reference = format!("{scheme}:{path}");
        let shown = doppio.command(["secret", "get", &reference, "--reveal", "--force"]).output().unwrap();
        assert_eq!(shown.stdout, bytes, "{scheme}");
    }
    world.expect_no_faults();
}
