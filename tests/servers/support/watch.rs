//! Witnesses of argument lists: strace over whole process trees, which misses nothing below them,
//! and a reader of `/proc/*/cmdline`, which sees what any user of the machine could have seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// Watches from [`Witness::start`] to [`Witness::end`].
pub(crate) struct Witness {
    folder: PathBuf,
    traced: usize,
    stop: Arc<AtomicBool>,
    reader: JoinHandle<BTreeSet<Vec<u8>>>,
}

/// An argument list that was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    /// Who saw it.
    pub(crate) by: By,
    /// The program's path (of an execve only) and the arguments, each followed by a NUL.
    pub(crate) arguments: Vec<u8>,
}

/// A witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// strace, at the call.
    Execve,
    /// The reader of /proc.
    Proc,
}

impl Sighting {
    /// For messages: the arguments in one line.
    pub(crate) fn show(&self) -> String {
        format!("{:?}: {}", self.by, String::from_utf8_lossy(&self.arguments).replace('\0', " "))
    }
}

impl Witness {
    /// Starts reading /proc; traces are written to `folder`, which holds what was leaked.
    pub(crate) fn start(folder: &Path) -> Self {
        let version = Command::new("strace").arg("--version").output();
        assert!(version.is_ok_and(|output| output.status.success()), "strace is missing: apt install strace");
        fs::create_dir_all(folder).expect("the folder of the traces can be made");
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || read_until(&stop)
        });
        Self { folder: folder.to_owned(), traced: 0, stop, reader }
    }

    /// What stands before a program to have it, and all that it starts, traced.
    pub(crate) fn prefix(&mut self) -> Vec<String> {
        self.traced += 1;
        let trace = self.folder.join(format!("trace.{}", self.traced));
        let options =
            ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=execve,execveat", "-e", "signal=none"];
        let whole = ["-xx", "-s", "1048576", "-o", trace.to_str().expect("the path is UTF-8"), "--"];
        options.into_iter().chain(whole).map(str::to_owned).collect()
    }

    /// The same command, traced.
    pub(crate) fn over(&mut self, command: &Command) -> Command {
        let prefix = self.prefix();
        let mut traced = Command::new(&prefix[0]);
        traced.args(&prefix[1..]).arg(command.get_program()).args(command.get_args()).env_clear();
        traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            traced.current_dir(folder);
        }
        traced
    }

    /// Everything seen. All that was traced must have ended.
    pub(crate) fn end(self) -> BTreeSet<Sighting> {
        self.stop.store(true, Ordering::Relaxed);
        let read = self.reader.join().expect("the reader of /proc lives");
        let read = read.into_iter().map(|arguments| Sighting { by: By::Proc, arguments });
        let mut seen: BTreeSet<Sighting> = read.collect();
        for number in 1..=self.traced {
            let path = self.folder.join(format!("trace.{number}"));
            let trace = fs::read_to_string(&path).expect("strace wrote its trace, in ASCII");
            let calls = trace.lines().filter_map(arguments_of);
            let before = seen.len();
            seen.extend(calls.map(|arguments| Sighting { by: By::Execve, arguments }));
            assert!(seen.len() > before, "{} holds no execve", path.display());
        }
        seen
    }
}

/// Reads the command lines of all processes, again and again.
fn read_until(stop: &AtomicBool) -> BTreeSet<Vec<u8>> {
    let mut seen = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        for entry in fs::read_dir("/proc").expect("/proc can be read").flatten() {
            if entry.file_name().as_encoded_bytes()[0].is_ascii_digit()
                && let Ok(line) = fs::read(entry.path().join("cmdline"))
            {
                seen.insert(line);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    seen
}

/// Path and arguments of a line such as `7 execve("\x2f…", ["\x61", …], 0x7ffe /* 9 vars */) = 0`.
fn arguments_of(line: &str) -> Option<Vec<u8>> {
    let (_, call) = line.split_once("execve")?;
    let Some((given, _)) = call.split_once(']') else {
        // Doppio's memory is closed to all but root.
        assert!(call.contains("resumed>"), "strace could not read an argument list, is it root? {line}");
        return None;
    };
    assert!(!given.contains("\"..."), "strace cut an argument short: {line}");
    let mut arguments = Vec::new();
    for string in given.split('"').skip(1).step_by(2) {
        for byte in string.split("\\x").skip(1) {
            arguments.push(u8::from_str_radix(byte, 16).expect("strace writes two digits a byte"));
        }
        arguments.push(0);
    }
    Some(arguments)
}

#[test]
fn a_traced_tree_hides_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the trace");
    let mut witness = Witness::start(folder.path());
    let prefix = witness.prefix();
    let script = "(setsid sh -c '/bin/true \"$1\"' sh \"$(printf 'a\\nb\\377 \"c')\" &) ; sleep 0.3";
    let status = Command::new(&prefix[0]).args(&prefix[1..]).args(["sh", "-c", script]).status();
    assert!(status.expect("strace runs").success());
    let seen = witness.end();
    let called = |by: By, line: &[u8]| seen.contains(&Sighting { by, arguments: line.to_vec() });
    assert!(called(By::Execve, b"/bin/true\0/bin/true\0a\nb\xff \"c\0"), "{seen:?}");
    assert!(called(By::Proc, b"sleep\x000.3\0"), "{seen:?}");
}
