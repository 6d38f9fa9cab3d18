//! Writer, store and reader together, on a real disk.

use std::fs;

use crate::event::Event;
use crate::event::Sink;
use crate::event::StepStatus;
use crate::journal::Journal;
use crate::journal::LogLimit;
use crate::journal::Store;

fn event(seq: u64, what: &str) -> Event {
    let line = format!(r#"{{"schema":1,"seq":{seq},"time":"2026-01-01T00:00:00Z",{what}}}"#);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("state/runs"));
    (folder, store)
}

const STORY: [&str; 5] = [
    r#""event":"run_started","run":"r-1","recipe":"x","steps":[{"id":"train[lr=1]","kind":"sleep","needs":[]}]"#,
    r#""event":"step_waiting","step":"train[lr=1]""#,
    r#""event":"step_started","step":"train[lr=1]","attempt":1"#,
    r#""event":"step_output","step":"train[lr=1]","stream":"stdout","text":"loss 0.5\nnext""#,
    r#""event":"step_progress","step":"train[lr=1]","message":"half""#,
];

fn tell(journal: &mut Journal) {
    for (seq, what) in STORY.iter().enumerate() {
        journal.record(&event(seq as u64, what)).unwrap();
    }
    journal.settle().unwrap();
}

#[test]
fn a_run_is_live_while_its_journal_is_held_and_lost_after() {
    let (_folder, store) = store();
    let (run, mut journal) = store.create(b"{}").unwrap();
    tell(&mut journal);
    let record = store.read(&run).unwrap();
    assert!(record.is_live);
    assert_eq!(record.state.count(StepStatus::Running), 1);
    drop(journal);
    let record = store.read(&run).unwrap();
    assert!(record.is_abandoned());
    assert_eq!(record.state.count(StepStatus::Lost), 1);
    assert_eq!(record.faults, []);
}

#[test]
fn output_is_in_the_steps_log_and_not_in_the_journal() {
    let (_folder, store) = store();
    let (run, mut journal) = store.create(b"{\"plan\":1}").unwrap();
    tell(&mut journal);
    let retry =
        r#""event":"step_retrying","step":"train[lr=1]","attempt":1,"end":{"how":"timeout"},"delay":0"#;
    journal.record(&event(10, retry)).unwrap();
    journal.record(&event(11, r#""event":"step_waiting","step":"train[lr=1]""#)).unwrap();
    journal.record(&event(12, r#""event":"step_started","step":"train[lr=1]","attempt":2"#)).unwrap();
    let record = store.read(&run).unwrap();
    let log = store.log(&run, &record, &"train[lr=1]".parse().unwrap()).remove(0);
    assert_eq!(fs::read_to_string(log).unwrap(), "loss 0.5\nnext\n--- attempt 2 ---\n");
    let text = fs::read_to_string(store.folder(&run).join("journal.jsonl")).unwrap();
    assert!(!text.contains("loss") && !text.contains("half"));
    assert_eq!(text.lines().count(), 6);
    assert_eq!(fs::read_to_string(store.folder(&run).join("plan.json")).unwrap(), "{\"plan\":1}");
}

#[cfg(unix)]
#[test]
fn everything_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    let (_, mut journal) = store.create(b"{}").unwrap();
    tell(&mut journal);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut seen = 0;
    let mut folders = vec![folder.path().join("state")];
    while let Some(path) = folders.pop() {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn runs_are_found_by_either_end_of_their_id() {
    let (folder, store) = store();
    let runs = folder.path().join("state/runs");
    assert_eq!(store.find(None).unwrap_err().to_string(), "there are no runs yet");
    for run in ["20260101-000000-00aa", "20260102-000000-00bb", "20260102-000000-00cc"] {
        drop(Journal::create(&runs, &run.parse().unwrap(), b"", LogLimit::default()).unwrap());
    }
    let found = |text| store.find(text).map(String::from).map_err(|error| error.to_string());
    assert_eq!(found(None).unwrap(), "20260102-000000-00cc");
    assert_eq!(found(Some("00bb")).unwrap(), "20260102-000000-00bb");
    assert_eq!(found(Some("20260101")).unwrap(), "20260101-000000-00aa");
    assert_eq!(found(Some("zz")).unwrap_err(), "no run is called `zz`");
    assert_eq!(found(Some("20260102")).unwrap_err(), "`20260102` could be any of 2 runs");
}

#[test]
fn a_run_that_is_there_is_not_begun_again() {
    let (folder, store) = store();
    let (run, journal) = store.create(b"{}").unwrap();
    let again =
        Journal::create(&folder.path().join("state/runs"), &run, b"{}", LogLimit::default()).unwrap_err();
    assert_eq!(again.source.kind(), std::io::ErrorKind::AlreadyExists);
    drop(journal);
}

// case D11
#[test]
fn the_newest_run_is_the_one_that_began_last_whatever_its_name() {
    let (folder, store) = store();
    let runs = folder.path().join("state/runs");
    // The same second, and a clock that went back.
    let begun = ["20260102-000000-ff00", "20260102-000000-00bb", "20260101-000000-00cc"];
    for run in begun {
        drop(Journal::create(&runs, &run.parse().unwrap(), b"", LogLimit::default()).unwrap());
    }
    // What older versions left.
    fs::create_dir(runs.join("20260103-000000-00dd")).unwrap();
    let listed: Vec<String> = store.list().unwrap().into_iter().map(String::from).collect();
    assert_eq!(
        listed,
        ["20260101-000000-00cc", "20260102-000000-00bb", "20260102-000000-ff00", "20260103-000000-00dd"]
    );
    assert_eq!(store.find(None).unwrap().as_str(), "20260101-000000-00cc");
}

#[test]
fn a_run_that_lives_is_not_removed() {
    let (_folder, store) = store();
    let (run, journal) = store.create(b"{}").unwrap();
    assert_eq!(store.remove(&run).unwrap_err().to_string(), format!("run `{run}` is running"));
    drop(journal);
    store.remove(&run).unwrap();
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn output_that_finds_no_log_is_counted_for_each_step() {
    let (_folder, store) = store();
    let (run, mut journal) = store.create(b"{}").unwrap();
    let started = r#""event":"run_started","run":"r-1","recipe":"x","steps":[{"id":"a","kind":"sleep","needs":[]},{"id":"b","kind":"sleep","needs":[]}]"#;
    journal.record(&event(0, started)).unwrap();
    let steps = store.folder(&run).join("steps");
    for step in ["a", "b"] {
        fs::create_dir(steps.join(format!("{step}.log"))).unwrap();
    }
    let output = |step: &str, text: &str| {
        event(1, &format!(r#""event":"step_output","step":"{step}","stream":"stdout","text":"{text}""#))
    };
    // It is said once a step.
    for step in ["a", "b"] {
        let told = journal.record(&output(step, r"one\n")).unwrap_err().to_string();
        assert!(told.contains("output that comes meanwhile is missing") && told.contains(step), "{told}");
        journal.record(&output(step, r"two\n")).unwrap();
    }
    fs::remove_dir(steps.join("a.log")).unwrap();
    journal.record(&output("a", r"three\n")).unwrap();
    let log = fs::read_to_string(steps.join("a.log")).unwrap();
    assert_eq!(log, "--- 8 bytes are missing here: they could not be written ---\nthree\n");
    for step in ["a", "b"] {
        let finished = format!(
            r#""event":"step_finished","step":"{step}","status":"success","end":{{"how":"exit","code":0}},"duration":10"#
        );
        journal.record(&event(2, &finished)).unwrap();
    }
    let missing: Vec<_> =
        journal.missing().iter().map(|(step, missing)| (step.to_string(), missing.unwritten)).collect();
    assert_eq!(missing, [("a".to_owned(), 8), ("b".to_owned(), 8)]);
}
