//! Files that belong to somebody else. Root alone can make such a file.

use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::chown;
use std::process::Command;

use doppio_test_support::Doppio;

// case L8
#[test]
fn settings_of_another_user_run_nothing() {
    let doppio = Doppio::new();
    let trace = doppio.folder().join("trace");
    let run = format!("[sources.command.leave]\nrun = [\"touch\", \"{}\"]\n", trace.display());
    let config = doppio.private("home/doppio/config.toml", run);
    let ask = ["secret", "get", "command:leave", "--reveal", "--force"];
    for (path, kind) in [(&config, "file"), (&doppio.doppio_home(), "folder"), (&doppio.home(), "folder")] {
        chown(path, Some(12345), None).unwrap();
        let ran = doppio.run(ask).expect(3);
        let shown = path.display();
        let said = format!("error: the {kind} `{shown}` belongs to another user (uid 12345, expected 0)");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
        let hint = "hint: run Doppio as that user, or use a copy of the file that belongs to root";
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
        assert!(!trace.exists(), "the program ran");
        let fixed = Command::new("chown").arg("0").arg(path).status().unwrap();
        assert!(fixed.success() && path.metadata().unwrap().uid() == 0);
    }
    // A hard link to a file of somebody else's is theirs.
    let theirs = doppio.private("theirs.toml", "");
    chown(&theirs, Some(12345), None).unwrap();
    std::fs::remove_file(&config).unwrap();
    std::fs::hard_link(&theirs, &config).unwrap();
    let ran = doppio.run(ask).expect(3);
    assert!(ran.stderr.contains("belongs to another user (uid 12345, expected 0)"), "{}", ran.stderr);
}
