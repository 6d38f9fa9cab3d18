//! One contract for all sources that can be started here, through the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use doppio::secret::source::KINDS;

use crate::support::doppio::Doppio;
use crate::support::http::Server;
use crate::support::openbao::Bao;
use crate::support::secret_service::Bus;
use crate::support::store::Store;

const VALUE: &str = "hunter2 $HOME \\n 'q' \"d\" é";

/// Sources whose servers stand in tests of their own.
const ELSEWHERE: [&str; 5] = ["aws", "ssm", "gcp", "azure", "kubernetes"];

/// The servers and stores behind the sources.
struct World {
    bus: Bus,
    bao: Bao,
    store: Store,
}

impl World {
    fn new() -> Self {
        let (bus, bao, store) = (Bus::with_keyring(), Bao::start(), Store::new());
        bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
        Self { bus, bao, store }
    }
}

/// A program of the tests that stands in for one that can't be had.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name)
}

/// What the programs of password managers have.
fn fill_managers(folder: &Path) {
    fs::write(folder.join("store.json"), serde_json::json!({ "Contract/there/key": VALUE }).to_string())
        .unwrap();
    let item = serde_json::json!([{
        "id": "1f", "name": "there", "login": { "username": "u", "password": VALUE }, "fields": null,
        "revisionDate": "2026-01-31T10:00:00.000Z",
    }]);
    fs::write(folder.join("items.json"), item.to_string()).unwrap();
}

/// A machine on which every source has `VALUE` under the path that is given for it.
fn machine(world: &World) -> Doppio {
    let bus = &world.bus;
    let doppio = Doppio::new()
        .env("VAULT_ADDR", world.bao.url())
        .env("VAULT_TOKEN", "root")
        .env("GNUPGHOME", world.store.gpg())
        .env("PASSWORD_STORE_DIR", world.store.path())
        .env("BW_SESSION", "session of the tests")
        .env("OP_SERVICE_ACCOUNT_TOKEN", "ops_token_of_the_tests")
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .env("CONTRACT_KEY", VALUE)
        .env("DOPPIO_PASSPHRASE_FILE", PathBuf::from("/nonexistent"));
    let home = doppio.home();
    fill_managers(&home);
    let doppio = doppio.env("OP_FAKE", &home).env("BW_FAKE", &home);
    let passphrase = doppio.folder().join("home/passphrase");
    fs::write(&passphrase, "a passphrase of the tests").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let doppio = doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    let script = doppio.file("print", "printf '%s\\n' \"$CONTRACT_KEY\"\n");
    let config = format!(
        "[vault]\nwork_factor = 10\n[sources.command.there]\nrun = ['sh', '{}']\n[sources.command.gone]\n\
         run = ['sh', '-c', 'exit 1']\nmissing_exit_codes = [1]\n[sources.op]\nprogram = '{}'\n\
         [sources.bw]\nprogram = '{}'\n",
        script.display(),
        program("op").display(),
        program("bw").display()
    );
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    let dotenv = doppio
        .file(".env", format!("CONTRACT_KEY=\"{}\"\n", VALUE.replace('\\', "\\\\").replace('"', "\\\"")));
    fs::set_permissions(dotenv, fs::Permissions::from_mode(0o600)).unwrap();
    doppio
}

/// The paths of a source that have a value and have none.
fn paths(scheme: &str) -> (&'static str, &'static str) {
    match scheme {
        "env" | "dotenv" => ("CONTRACT_KEY", "CONTRACT_GONE"),
        "keyring" | "file" | "pass" => ("contract/key", "contract/gone"),
        "command" => ("there", "gone"),
        "vault" => ("kv/contract/key", "kv/contract/gone"),
        "op" => ("Contract/there/key", "Contract/there/gone"),
        "bw" => ("there/password", "gone/password"),
        other => panic!("source `{other}` has no place in the contract yet"),
    }
}

#[test]
fn every_source_keeps_the_contract() {
    let world = World::new();
    let doppio = machine(&world);
    for kind in KINDS.iter().filter(|kind| !ELSEWHERE.contains(&kind.scheme)) {
        let scheme = kind.scheme;
        let (there, gone) = paths(scheme);
        let (there_ref, gone_ref) = (format!("{scheme}:{there}"), format!("{scheme}:{gone}"));
        let reveal = |reference: &str| doppio.run(["secret", "get", reference, "--reveal", "--force"]);

        let path = if kind.writes { there } else { "contract/key" };

        // Writing: what is written is there, and what can't be written to says so.
        let set = doppio.run_with_stdin(["secret", "set", path, "--from-stdin", "--in", scheme], VALUE);
        set.expect(if kind.writes { 0 } else { 2 });

        // Reading: byte for byte, and no value where only the place is asked for.
        assert_eq!(reveal(&there_ref).expect(0).stdout, VALUE, "{scheme}");
        let ran = doppio.run(["secret", "get", &there_ref]).expect(0);
        assert!(ran.stdout.starts_with(&format!("{there_ref} = *** (")), "{scheme}: {}", ran.stdout);
        assert!(!ran.stdout.contains("hunter2"), "{scheme}");
        let ran = doppio.run(["secret", "why", &there_ref]).expect(0);
        assert!(ran.stdout.contains("used") && !ran.stdout.contains("hunter2"), "{scheme}: {}", ran.stdout);

        // Missing: a default stands in, and without one the error says what to do.
        let ran = reveal(&gone_ref).expect(3);
        assert!(ran.stderr.contains("is not set"), "{scheme}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{scheme}: {}", ran.stderr);
        assert_eq!(reveal(&format!("{gone_ref}?stands in")).expect(0).stdout, "stands in", "{scheme}");

        // Versions: kept, or said not to be.
        let ran = reveal(&format!("{there_ref}@1"));
        if kind.versions {
            assert_eq!(ran.expect(0).stdout, VALUE, "{scheme}");
            reveal(&format!("{there_ref}@99")).expect(3);
        } else {
            let ran = ran.expect(3);
            assert!(ran.stderr.contains("keeps no versions"), "{scheme}: {}", ran.stderr);
        }

        // Listing and removing.
        if kind.writes {
            let ran = doppio.run(["secret", "list", "--in", scheme]).expect(0);
            assert!(
                ran.stdout.contains(there) && !ran.stdout.contains("hunter2"),
                "{scheme}: {}",
                ran.stdout
            );
            doppio.run(["secret", "rm", there, "--in", scheme]).expect(0);
            doppio.run(["secret", "rm", there, "--in", scheme]).expect(3);
            reveal(&there_ref).expect(3);
        }
    }

    assert!(!doppio.home().join("faults").exists(), "{:?}", fs::read_to_string(doppio.home().join("faults")));
}

#[test]
fn long_values_go_there_and_back() {
    let world = World::new();
    let doppio = machine(&world);
    let long = "0123456789abcdef".repeat(4 << 10);
    for kind in KINDS.iter().filter(|kind| kind.writes && !ELSEWHERE.contains(&kind.scheme)) {
        let (path, _) = paths(kind.scheme);
        let set = ["secret", "set", path, "--from-stdin", "--in", kind.scheme];
        doppio.run_with_stdin(set, &long).expect(0);
        assert_eq!(doppio.reveal(&format!("{}:{path}", kind.scheme)), long, "{}", kind.scheme);
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_or_refused() {
    let world = World::new();
    let doppio = machine(&world);
    let bytes = b"\xff\xfe hunter2 \x80";
    for kind in KINDS.iter().filter(|kind| kind.writes && !ELSEWHERE.contains(&kind.scheme)) {
        let (scheme, (path, _)) = (kind.scheme, paths(kind.scheme));
        let set = doppio.run_with_stdin(["secret", "set", path, "--from-stdin", "--in", scheme], bytes);
        if scheme == "vault" {
            let set = set.expect(2);
            assert!(set.stderr.contains("base64") && !set.stderr.contains("hunter2"), "{}", set.stderr);
            continue;
        }
        set.expect(0);
        let reference = format!("{scheme}:{path}");
        let shown = doppio.command(["secret", "get", &reference, "--reveal", "--force"]).output().unwrap();
        assert_eq!(shown.stdout, bytes, "{scheme}");
    }
}

/// The variables and settings with which a source can't be asked, and what its error says.
fn broken(scheme: &str, refused: &str, silent: &str) -> Option<(Vec<(&'static str, String)>, String)> {
    let url = |server: &str| vec![("VAULT_ADDR", server.to_owned()), ("VAULT_TOKEN", "root".to_owned())];
    Some(match scheme {
        "vault" if refused.is_empty() => (url(silent), "[sources.vault]\ntimeout_secs = 1\n".to_owned()),
        "vault" => (url(refused), String::new()),
        "op" | "bw" if !refused.is_empty() => {
            (Vec::new(), format!("[sources.{scheme}]\nprogram = '/nonexistent/x'\n"))
        }
        "op" | "bw" => {
            let slow = "[sources.SCHEME]\nprogram = 'PROGRAM'\ntimeout_secs = 1\n".replace("SCHEME", scheme);
            (Vec::new(), slow)
        }
        _ => return None,
    })
}

#[test]
fn what_could_not_be_asked_is_never_missing() {
    // A port where nobody listens, and a server that never answers.
    let refused = {
        let server = Server::start(|_| Vec::new());
        server.url()
    };
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_mins(1));
        Vec::new()
    });
    let mut asked = 0;
    for kind in KINDS.iter().filter(|kind| kind.remote.is_some() && !ELSEWHERE.contains(&kind.scheme)) {
        let scheme = kind.scheme;
        let (path, _) = paths(scheme);
        for refused in [refused.as_str(), ""] {
            let Some((variables, settings)) = broken(scheme, refused, &silent.url()) else { continue };
            let mut doppio = Doppio::new();
            for (name, value) in variables {
                doppio = doppio.env(name, value);
            }
            let sleeper = doppio.file("sleeper", "#!/bin/sh\nexec sleep 60\n");
            fs::set_permissions(&sleeper, fs::Permissions::from_mode(0o755)).unwrap();
            let settings = settings.replace("PROGRAM", &sleeper.display().to_string());
            fs::write(doppio.doppio_home().join("config.toml"), settings).unwrap();
            let started = Instant::now();
            // A default must not stand in for what could not be asked.
            let ran = doppio.run(["secret", "get", &format!("{scheme}:{path}?none"), "--reveal", "--force"]);
            assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{scheme}: {}", ran.stderr);
            assert!(ran.stderr.contains("could not ask"), "{scheme}: {}", ran.stderr);
            assert!(ran.stderr.contains("hint: "), "{scheme}: {}", ran.stderr);
            assert!(started.elapsed() < Duration::from_secs(30), "{scheme}");
            asked += 1;
        }
    }
    assert!(asked >= 5, "{asked}");
}
