//! One contract for all sources, through the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use doppio::secret::source::KINDS;

use crate::support::doppio::Doppio;
use crate::support::secret_service::Bus;

const VALUE: &str = "hunter2 $HOME \\n 'q' \"d\" é";

/// A machine on which every source has `VALUE` under the path that is given for it.
fn machine(bus: &Bus) -> Doppio {
    let doppio = Doppio::new()
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .env("CONTRACT_KEY", VALUE)
        .env("DOPPIO_PASSPHRASE_FILE", PathBuf::from("/nonexistent"));
    let passphrase = doppio.folder().join("home/passphrase");
    fs::write(&passphrase, "a passphrase of the tests").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let doppio = doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    let script = doppio.file("print", "printf '%s\\n' \"$CONTRACT_KEY\"\n");
    let config = format!(
        "[vault]\nwork_factor = 10\n[sources.command.there]\nrun = ['sh', '{}']\n[sources.command.gone]\n\
         run = ['sh', '-c', 'exit 1']\nmissing_exit_codes = [1]\n",
        script.display()
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
        "keyring" | "file" => ("contract/key", "contract/gone"),
        "command" => ("there", "gone"),
        other => panic!("source `{other}` has no place in the contract yet"),
    }
}

#[test]
fn every_source_keeps_the_contract() {
    let bus = Bus::with_keyring();
    let doppio = machine(&bus);
    // The remote ones have files of tests and servers of their own.
    for kind in KINDS.iter().filter(|kind| kind.remote.is_none()) {
        let scheme = kind.scheme;
        let (there, gone) = paths(scheme);
        let (there_ref, gone_ref) = (format!("{scheme}:{there}"), format!("{scheme}:{gone}"));
        let reveal = |reference: &str| doppio.run(["secret", "get", reference, "--reveal", "--force"]);

        // Writing: what is written is there, and what can't be written to says so.
        let set =
            doppio.run_with_stdin(["secret", "set", "contract/key", "--from-stdin", "--in", scheme], VALUE);
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
            let ran = doppio.run(["secret", "list"]).expect(0);
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
}
