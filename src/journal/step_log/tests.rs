//! Logs on a real disk, and what is in their way.

use super::*;

fn read(path: &Path) -> String {
    pieces(path).iter().map(|piece| fs::read_to_string(piece).unwrap()).collect()
}

#[test]
fn a_log_below_its_limit_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let mut log = StepLog::new(path.clone(), LogLimit::of_mebibytes(1));
    let mut all = String::new();
    for number in 0..60_000 {
        let line = format!("line {number:08}\n");
        log.write(&line).unwrap();
        all += &line;
    }
    assert!(pieces(&path).len() > 1);
    assert_eq!(read(&path), all);
    assert_eq!(log.missing(), Missing::default());
}

// case D14
#[test]
fn a_log_beyond_its_limit_keeps_its_beginning_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let mut log = StepLog::new(path.clone(), LogLimit::of_mebibytes(1));
    let piece = "x".repeat(60 << 10);
    let lines = 200_u64;
    for number in 0..lines {
        log.write(&format!("{number} {piece}\n")).unwrap();
    }
    let text = read(&path);
    assert!(text.len() <= (1 << 20) + 200, "{} bytes are kept", text.len());
    assert!(text.starts_with("0 x") && text.contains(&format!("\n{} x", lines - 1)));
    let cut = log.missing().cut;
    assert!(
        text.contains(&format!("\n--- {cut} bytes are left out here: the log of a step keeps 1 MiB ---\n"))
    );
    let printed: u64 = (0..lines).map(|number| format!("{number} {piece}\n").len() as u64).sum();
    let note = text.lines().find(|line| line.starts_with("---")).unwrap().len() as u64 + 2;
    assert_eq!(text.len() as u64 - note + cut, printed, "nothing else is missing");
}

// case D14
#[test]
fn what_is_in_the_way_of_a_piece_costs_only_what_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let mut log = StepLog::new(path.clone(), LogLimit::of_mebibytes(1));
    let line = format!("{}\n", "x".repeat((60 << 10) - 1));
    let (mut printed, mut unwritten) = (0, 0);
    for number in 0..200 {
        // The next piece can't be begun for a while, and one that is to be removed is gone.
        match number {
            50 => fs::create_dir(piece(&path, log.number + 1)).unwrap(),
            70 => fs::remove_dir(piece(&path, log.number + 1)).unwrap(),
            100 => fs::remove_file(piece(&path, log.first_kept)).unwrap(),
            _ => {}
        }
        printed += line.len() as u64;
        match log.write(&line) {
            Ok(()) => assert_eq!(log.gap, 0),
            Err(_) => unwritten += line.len() as u64,
        }
    }
    assert!(unwritten > 0 && unwritten < 20 * line.len() as u64, "{unwritten} bytes");
    assert_eq!(log.missing().unwritten, unwritten);
    assert_eq!(pieces(&path).len(), 3, "the beginning and two pieces are kept");
    let text = read(&path);
    assert!(text.len() <= (1 << 20) + 200, "{} bytes are kept", text.len());
    let cut = log.missing().cut;
    assert!(text.contains(&format!("\n--- {cut} bytes are left out here")), "{:?}", log.missing());
    let note = format!("--- {unwritten} bytes are missing here: they could not be written ---\n");
    let kept = text.lines().filter(|line| line.starts_with('x')).count() * line.len();
    assert_eq!(kept as u64 + cut + unwritten, printed + note.len() as u64, "nothing is counted twice");
}

#[test]
fn a_note_of_what_is_missing_finds_room_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let limit = LogLimit::of_mebibytes(1);
    let mut log = StepLog::new(path.clone(), limit);
    let most = usize::try_from(limit.head()).unwrap();
    log.write(&"x".repeat(most - 1)).unwrap();
    log.gap = 7;
    log.write("y").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), limit.head() - 1, "the beginning grew too long");
    let later = fs::read_to_string(piece(&path, 1)).unwrap();
    assert_eq!(later, "\n--- 7 bytes are missing here: they could not be written ---\ny");
}
