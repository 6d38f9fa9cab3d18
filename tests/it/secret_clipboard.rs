//! `doppio secret get --copy` with a clipboard made of two scripts and a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for;

/// A machine with Wayland's two programs, and the file that is its clipboard. `argv` has what the
/// programs were called with.
fn desktop() -> (Doppio, PathBuf, PathBuf) {
    let doppio = Doppio::with_vault();
    let (clipboard, argv) = (doppio.folder().join("clipboard"), doppio.folder().join("argv"));
    let programs = doppio.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    let copy = format!(
        "#!/bin/sh\necho \"$0 $*\" >> '{1}'\ncase \"$*\" in *--clear*) : > '{0}' ;; *) cat > '{0}' ;; esac\n",
        clipboard.display(),
        argv.display()
    );
    let paste = format!("#!/bin/sh\ncat '{0}'\necho $PPID > '{0}.reader'\n", clipboard.display());
    for (name, script) in [("wl-copy", copy), ("wl-paste", paste)] {
        fs::write(programs.join(name), script).unwrap();
        fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let doppio = doppio.env("WAYLAND_DISPLAY", "wayland-9").env("PATH", path);
    doppio.store("team/key", "hunter2 one");
    (doppio, clipboard, argv)
}

#[test]
fn a_value_is_copied_and_the_clipboard_emptied() {
    let (doppio, clipboard, argv) = desktop();
    let ran = doppio.run(["secret", "get", "team/key", "--copy", "--clear-after", "1"]).expect(0);
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.stderr, @"copied `team/key`; the clipboard will be cleared in 1 s");
    wait_for("the clipboard will be cleared", || fs::read(&clipboard).unwrap().is_empty());
    let calls = fs::read_to_string(argv).unwrap();
    assert!(calls.contains("--type text/plain") && !calls.contains("hunter2"), "{calls}");
}

#[test]
fn what_somebody_else_copied_stays() {
    let (doppio, clipboard, argv) = desktop();
    doppio.run(["secret", "get", "team/key", "--copy", "--clear-after", "1"]).expect(0);
    assert_eq!(fs::read_to_string(&clipboard).unwrap(), "hunter2 one");
    fs::write(&clipboard, "mine").unwrap();
    let reader = doppio.folder().join("clipboard.reader");
    wait_for("the clipboard is looked at", || {
        fs::read_to_string(&reader).is_ok_and(|pid| pid.ends_with('\n'))
    });
    let watch = PathBuf::from("/proc").join(fs::read_to_string(&reader).unwrap().trim());
    wait_for("who watches it ends", || !watch.exists());
    assert_eq!(fs::read_to_string(&clipboard).unwrap(), "mine");
    assert!(!fs::read_to_string(argv).unwrap().contains("--clear"));
}

#[test]
fn without_a_clipboard_nothing_is_copied() {
    let (doppio, clipboard, _) = desktop();
    let doppio = doppio.env("WAYLAND_DISPLAY", "");
    let ran = doppio.run(["secret", "get", "team/key", "--copy"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: there is no clipboard: neither a desktop nor a terminal

    hint: print it with `--reveal --force`
    ");
    assert!(!clipboard.exists());
    let doppio = doppio.env("DISPLAY", ":9").env("PATH", "/nonexistent");
    let ran = doppio.run(["secret", "get", "team/key", "--copy"]).expect(3);
    assert!(ran.stderr.contains("hint: install `xclip`"), "{}", ran.stderr);
    doppio.run(["secret", "get", "team/key", "--copy", "--reveal"]).expect(2);
}
