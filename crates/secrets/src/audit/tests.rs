use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::SecretValue;

fn a_use(secret: &str) -> Use {
    Use { secret: secret.to_owned(), host: Some("gpu".to_owned()), ..Use::default() }
}

fn log_of(count: u32) -> (tempfile::TempDir, AuditLog) {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::new(folder.path().join("state"));
    for index in 0..count {
        log.record(&[a_use(&format!("a/{index}"))]).unwrap();
    }
    (folder, log)
}

fn wrong(log: &AuditLog) -> Option<(u64, String)> {
    log.verify().unwrap().wrong.map(|wrong| (wrong.line, wrong.why))
}

#[test]
fn no_log_is_a_log_without_lines() {
    let (_folder, log) = log_of(0);
    assert_eq!(log.verify().unwrap(), Verdict::default());
    assert!(log.entries().unwrap().is_empty());
}

#[test]
fn what_was_recorded_is_read_in_order_and_private() {
    let (_folder, log) = log_of(3);
    let names: Vec<String> = log.entries().unwrap().into_iter().map(|entry| entry.what.secret).collect();
    assert_eq!(names, ["a/0", "a/1", "a/2"]);
    assert_eq!(log.verify().unwrap(), Verdict { lines: 3, ..Verdict::default() });
    for file in [log.path(), log.head()] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn every_change_of_a_byte_is_found() {
    let (_folder, log) = log_of(4);
    let (whole, head) = (fs::read(log.path()).unwrap(), fs::read(log.head()).unwrap());
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(log.path(), &changed).unwrap();
        let verdict = log.verify().unwrap();
        assert!(verdict.wrong.is_some(), "byte {at}: {verdict:?}");
        // The next line makes no crash of it.
        log.record(&[a_use("b")]).unwrap();
        assert!(log.verify().unwrap().wrong.is_some(), "byte {at}: {verdict:?}");
        fs::write(log.head(), &head).unwrap();
    }
}

#[test]
fn lines_that_are_cut_moved_or_put_in_are_found() {
    let (_folder, log) = log_of(4);
    let whole = fs::read_to_string(log.path()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let put = |lines: &[&str]| fs::write(log.path(), lines.join("\n") + "\n").unwrap();
    put(&lines[..3]);
    assert_eq!(wrong(&log), Some((4, "is gone: the log had 4 lines".to_owned())));
    put(&lines[1..]);
    assert_eq!(wrong(&log).unwrap().0, 1);
    put(&[lines[0], lines[2], lines[3]]);
    assert_eq!(wrong(&log).unwrap().0, 2);
    put(&[lines[0], lines[2], lines[1], lines[3]]);
    assert_eq!(wrong(&log).unwrap().0, 2);
    put(&[]);
    assert_eq!(wrong(&log).unwrap().0, 1);
}

#[test]
fn a_cut_is_still_told_after_the_next_write() {
    let (_folder, log) = log_of(4);
    let whole = fs::read_to_string(log.path()).unwrap();
    let two: Vec<&str> = whole.lines().take(2).collect();
    fs::write(log.path(), two.join("\n") + "\n").unwrap();
    log.record(&[a_use("b")]).unwrap();
    assert_eq!(wrong(&log).unwrap().0, 3);
    fs::remove_file(log.path()).unwrap();
    log.record(&[a_use("c")]).unwrap();
    assert_eq!(wrong(&log).unwrap().0, 1);
}

#[test]
fn a_torn_line_is_told_and_healed_by_the_next_writer() {
    for keep in [1, 40, 100] {
        let (_folder, log) = log_of(2);
        let head = fs::read(log.head()).unwrap();
        log.record(&[a_use("a/2")]).unwrap();
        fs::write(log.head(), head).unwrap();
        let whole = fs::read(log.path()).unwrap();
        let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        fs::write(log.path(), &whole[..last + keep]).unwrap();
        let verdict = log.verify().unwrap();
        assert_eq!((verdict.wrong, verdict.torn), (None, vec![3]));
        log.record(&[a_use("b")]).unwrap();
        let verdict = log.verify().unwrap();
        assert_eq!((verdict.wrong, verdict.torn, verdict.lines), (None, vec![3], 5));
        let deeds: Vec<AuditAction> = log.entries().unwrap().iter().map(|entry| entry.what.action).collect();
        assert_eq!(deeds, [AuditAction::Fetch, AuditAction::Fetch, AuditAction::Healed, AuditAction::Fetch]);
    }
}

#[test]
fn a_head_that_lags_behind_is_no_fault() {
    let (_folder, log) = log_of(2);
    let head = fs::read(log.head()).unwrap();
    log.record(&[a_use("b")]).unwrap();
    fs::write(log.head(), head).unwrap();
    assert_eq!(wrong(&log), None);
    log.record(&[a_use("c")]).unwrap();
    assert_eq!(wrong(&log), None);
}

/// Does it in eight threads that begin at once.
fn eight_at_once<T: Send>(action: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        let (start, action) = (&start, &action);
        let all: Vec<_> = (0..8)
            .map(|index| {
                scope.spawn(move || {
                    start.wait();
                    action(index)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn many_writers_make_one_chain() {
    let (_folder, log) = log_of(0);
    let prints = eight_at_once(|writer| {
        (0..20).for_each(|_| log.record(&[a_use(&format!("w/{writer}")), a_use("x")]).unwrap());
        log.fingerprint(&SecretValue::new(b"hunter2".to_vec())).unwrap()
    });
    assert_eq!(log.verify().unwrap(), Verdict { lines: 320, ..Verdict::default() });
    assert!(prints.iter().all(|print| *print == prints[0]), "{prints:?}");
}

#[test]
fn many_who_need_the_key_at_once_make_one() {
    for _ in 0..20 {
        let (_folder, log) = log_of(0);
        let prints = eight_at_once(|_| log.fingerprint(&SecretValue::new(b"hunter2".to_vec())).unwrap());
        assert!(prints.iter().all(|print| *print == prints[0]), "{prints:?}");
        let files = fs::read_dir(log.folder()).unwrap().count();
        assert_eq!(files, 2, "the key and the file that was locked");
        assert_eq!(log.verify().unwrap(), Verdict::default());
    }
}

#[test]
fn what_a_crash_left_of_a_key_is_no_hindrance() {
    let (_folder, log) = log_of(1);
    for name in ["audit.key.new".to_owned(), format!("audit.key.{}", std::process::id())] {
        let mut left = file::options().write(true).create_new(true).open(log.folder().join(name)).unwrap();
        left.write_all(b"0123").unwrap();
    }
    log.fingerprint(&SecretValue::new(b"hunter2".to_vec())).unwrap();
}

#[test]
fn fingerprints_tell_values_apart_and_not_what_they_are() {
    let (_folder, log) = log_of(0);
    let (_other_folder, other) = log_of(0);
    let value = |text: &str| SecretValue::new(text.as_bytes().to_vec());
    let print = log.fingerprint(&value("hunter2")).unwrap();
    assert_eq!(print, log.fingerprint(&value("hunter2")).unwrap());
    assert_ne!(print, log.fingerprint(&value("hunter3")).unwrap());
    assert_ne!(print, other.fingerprint(&value("hunter2")).unwrap());
    assert_eq!(print.len(), 16);
    let key = log.folder().join("audit.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(log.fingerprint(&value("x")), Err(AuditError::NotOurs { .. })));
}

#[test]
fn links_and_open_modes_are_refused() {
    let (folder, log) = log_of(1);
    fs::set_permissions(log.path(), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(log.record(&[a_use("a")]), Err(AuditError::NotOurs { .. })));
    fs::remove_file(log.path()).unwrap();
    let mut other = fs::File::create(folder.path().join("other")).unwrap();
    other.write_all(b"not a log\n").unwrap();
    std::os::unix::fs::symlink(folder.path().join("other"), log.path()).unwrap();
    assert!(matches!(log.record(&[a_use("a")]), Err(AuditError::Io { .. })));
    assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"not a log\n");
}

#[test]
fn a_log_that_cant_be_kept_is_told_once_or_stops() {
    use std::sync::Arc;
    use std::sync::Mutex;

    struct Told(Mutex<Vec<String>>);
    impl crate::Prompt for Told {
        fn secret(&self, _: &str) -> Option<SecretValue> {
            None
        }
        fn notice(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let log = AuditLog::new(folder.path().join("file/state"));
    for (policy, stops, told) in
        [(Policy::Warn, false, 1), (Policy::Required, true, 0), (Policy::Off, false, 0)]
    {
        let prompt = Arc::new(Told(Mutex::new(Vec::new())));
        let auditor = Auditor::new(log.clone(), policy, Arc::clone(&prompt) as Arc<dyn crate::Prompt>);
        for _ in 0..2 {
            assert_eq!(auditor.record(vec![(a_use("a"), None)]).is_err(), stops, "{policy:?}");
        }
        assert_eq!(prompt.0.lock().unwrap().len(), told, "{policy:?}");
    }
}
