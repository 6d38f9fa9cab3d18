//! Writers of the vault: one that is killed at any of its system calls leaves the old vault or the
//! new one, whole, and many at the same time lose nothing.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::process::Stdio;

use doppio_test_support::Doppio;

use crate::support::secret_service::Bus;

/// What a writer does to files.
const CALLS: &[&str] =
    &["openat", "write", "fsync", "unlink", "link,linkat", "rename,renameat,renameat2", "flock"];

/// A vault with an identity of its own: no key is to be derived, so each of many runs is short.
fn world() -> Doppio {
    let doppio = Doppio::new();
    let key = doppio.folder().join("id_ed25519");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()])
        .status()
        .expect("ssh-keygen is installed");
    assert!(made.success());
    doppio.env("DOPPIO_VAULT_IDENTITY", &key)
}

#[test]
fn a_killed_writer_leaves_a_whole_vault() {
    let doppio = world();
    doppio.run_with_stdin(["secret", "set", "kept", "--from-stdin"], "first value").expect(0);
    let vault = doppio.doppio_home().join("vault.age");
    let (mut killed, mut renewed) = (0, 0);
    for calls in CALLS {
        for nth in 1.. {
            let before = fs::read(&vault).unwrap();
            let new = format!("value {calls} {nth}");
            let file = doppio.file("new", &new);
            let command = doppio.command(["secret", "set", "kept", "--from-file"]);
            let status = Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={calls}"))
                .arg("-e")
                .arg(format!("inject={calls}:signal=KILL:when={nth}"))
                .arg(command.get_program())
                .args(command.get_args())
                .arg(&file)
                .env_clear()
                .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
                .current_dir(doppio.folder().join("project"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("strace is installed");
            let after = fs::read(&vault).unwrap();
            if after != before {
                renewed += 1;
            }
            if status.success() {
                break;
            }
            assert_eq!(
                status.signal().or(status.code().map(|code| code - 128)),
                Some(9),
                "{calls} {nth}: {status}"
            );
            killed += 1;
            // Opening costs a process each time: what is the same bytes has been opened before.
            if after != before {
                let ran = doppio.run(["secret", "get", "kept", "--reveal", "--force"]).expect(0);
                assert_eq!(ran.stdout, new, "{calls} {nth}");
            }
        }
    }
    assert!(killed > 20, "only {killed} kills");
    assert!(renewed >= CALLS.len(), "only {renewed} writes");
    doppio.run_with_stdin(["secret", "set", "kept", "--from-stdin"], "last value").expect(0);
    let ran = doppio.run(["secret", "get", "kept", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, "last value");
}

/// Writes eight secrets with as many processes at the same time.
fn write_at_once(doppio: &Doppio) {
    let set = |n: u8| {
        let name = format!("s{n}");
        doppio.start(["secret", "set", &name, "--from-env", "VALUE", "--in", "file"])
    };
    let writers: Vec<_> = (0..8).map(set).collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let ran = doppio.run(["secret", "list", "--in", "file"]).expect(0);
    assert_eq!(ran.stdout.lines().count(), 8, "{}", ran.stdout);
}

#[test]
fn writers_wait_for_each_other() {
    let doppio = world().env("VALUE", "hunter2 hunter2");
    doppio.run(["secret", "set", "s0", "--from-env", "VALUE"]).expect(0);
    write_at_once(&doppio);
}

/// The first one makes the key and the vault; the others must not make a key of their own.
#[test]
fn first_writers_agree_on_the_key() {
    for _ in 0..3 {
        let bus = Bus::with_keyring();
        let doppio =
            Doppio::new().env("VALUE", "hunter2 hunter2").env("DBUS_SESSION_BUS_ADDRESS", bus.address());
        write_at_once(&doppio);
    }
}

#[test]
fn an_ssh_key_locks_and_opens_a_vault() {
    let doppio = Doppio::new();
    let key = doppio.folder().join("id_ed25519");
    let keygen = |arguments: &[&str]| {
        let status = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-f", key.to_str().unwrap()])
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success());
    };
    keygen(&["-N", ""]);
    let doppio = doppio.env("DOPPIO_VAULT_IDENTITY", &key);
    doppio.run_with_stdin(["secret", "set", "a", "--from-stdin"], "hunter2 hunter2").expect(0);
    let reveal = || doppio.run(["secret", "get", "a", "--reveal", "--force"]);
    assert_eq!(reveal().expect(0).stdout, "hunter2 hunter2");

    let status = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", "keypass keypass", "-f", key.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(status.success());
    let ran = reveal().expect(3);
    assert!(ran.stderr.contains("has a passphrase, and nobody can be asked"), "{}", ran.stderr);
    let passphrase = doppio.private("home/passphrase", "keypass keypass");
    let doppio = doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    let ran = doppio.run(["secret", "get", "a", "--reveal", "--force"]).expect(0);
    assert_eq!(ran.stdout, "hunter2 hunter2");

    fs::remove_file(&key).unwrap();
    keygen(&["-N", ""]);
    let ran = doppio.run(["secret", "get", "a"]).expect(3);
    assert!(ran.stderr.contains("does not open the age vault"), "{}", ran.stderr);
}
