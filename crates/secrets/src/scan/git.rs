//! Asking git, through its own program, which knows every form of a repository.

use std::ffi::OsString;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use crate::scan::Examiner;
use crate::scan::Hit;
use crate::scan::Report;
use crate::scan::Scanner;
use crate::scan::Trouble;

/// Damaged objects that are stepped over. Each costs a new start of git.
const DAMAGED: usize = 1000;

/// Why git does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitError {
    /// There is no such program.
    #[error("cannot start `git`: {cause}")]
    NoGit {
        /// The system's words.
        cause: String,
    },
    /// The folder is in no repository.
    #[error("`{path}` is not in a git repository")]
    NoRepository {
        /// The folder.
        path: String,
    },
    /// It refused.
    #[error("`git {command}` failed: {cause}")]
    Failed {
        /// Its first argument.
        command: String,
        /// Its own words.
        cause: String,
    },
}

/// A repository, by a folder in it.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
    /// The environment does not say which one it is.
    is_alone: bool,
}

/// What the environment says of the repository that a command is given in.
const AMBIENT: [&str; 6] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"];

impl Repository {
    /// The one that this folder, or the folder of this file, is in.
    ///
    /// # Errors
    ///
    /// When it is in none, or there is no git.
    pub fn at(path: &Path) -> Result<Self, GitError> {
        Self::open(path, false)
    }

    /// Whether a new file at this absolute path would be taken by the next `git add`: it would lie
    /// in a working tree, and nothing there ignores it. Without git, nothing would add it.
    ///
    /// # Errors
    ///
    /// When git fails.
    pub fn would_see(path: &Path) -> Result<bool, GitError> {
        let Some(name) = path.to_str() else { return Ok(false) };
        let Ok(repository) = Self::at(path) else { return Ok(false) };
        let is_within = repository.read(&["rev-parse", "--is-inside-work-tree"])?.starts_with(b"true");
        Ok(is_within && repository.read(&["check-ignore", "-q", "--", name]).is_err())
    }

    /// The same as [`Repository::at`], whatever the environment says of another one: a hook's does.
    ///
    /// # Errors
    ///
    /// When it is in none, or there is no git.
    pub(super) fn alone(path: &Path) -> Result<Self, GitError> {
        Self::open(path, true)
    }

    fn open(path: &Path, is_alone: bool) -> Result<Self, GitError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let own = Self { folder: folder.to_owned(), is_alone };
        match own.read(&["rev-parse", "--git-dir"]) {
            Ok(_) => Ok(own),
            Err(GitError::Failed { cause, .. }) if cause.contains("not a git repository") => {
                Err(GitError::NoRepository { path: folder.display().to_string() })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it has neither working tree nor index.
    ///
    /// # Errors
    ///
    /// When git can't be asked.
    pub fn is_bare(&self) -> Result<bool, GitError> {
        Ok(self.read(&["rev-parse", "--is-bare-repository"])?.starts_with(b"true"))
    }

    /// Where the paths of its files begin; of a bare one, the folder that it was found by.
    pub fn top(&self) -> PathBuf {
        let Ok(mut top) = self.read(&["rev-parse", "--show-toplevel"]) else { return self.folder.clone() };
        if top.last() == Some(&b'\n') {
            top.pop();
        }
        PathBuf::from(OsString::from_vec(top))
    }

    /// What a command of git prints.
    ///
    /// # Errors
    ///
    /// When it can't be started, or fails.
    pub fn read(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.read_with(arguments, Vec::new())
    }

    /// The same, with something on its stdin.
    pub(super) fn read_with(&self, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, GitError> {
        let mut child = self.start(arguments, Stdio::piped())?;
        let feeder = feed(child.stdin.take(), input);
        let output = child.wait_with_output().map_err(|error| failed(arguments, &error.to_string()))?;
        drop(feeder.join());
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        // What it stopped for; advice may follow.
        let fatal = words.lines().find_map(|line| line.strip_prefix("fatal: "));
        let last = words.trim().lines().next_back();
        Err(failed(arguments, fatal.or(last).unwrap_or("no words")))
    }

    /// Starts it; `words` is where its stderr goes. A pipe that is not read blocks it.
    fn start(&self, arguments: &[&str], words: Stdio) -> Result<Child, GitError> {
        let mut command = Command::new("git");
        if self.is_alone {
            for name in AMBIENT {
                command.env_remove(name);
            }
        }
        command
            .arg("-C")
            .arg(&self.folder)
            .args([
                "-c",
                "core.quotePath=false",
                "-c",
                "diff.relative=false",
                "--no-optional-locks",
                "--no-replace-objects",
            ])
            .args(arguments)
            // Its messages are compared.
            .env("LC_ALL", "C")
            // What a clone left out is not fetched; not every git knows the first of these.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(words)
            .spawn()
            .map_err(|error| GitError::NoGit { cause: error.to_string() })
    }

    /// Looks through objects by their ids.
    pub(super) fn look(&self, scanner: &Scanner, ids: &[&str], path: impl Fn(usize) -> Vec<u8>) -> Report {
        let mut report = Report::default();
        let mut from = 0;
        // Git ends at an object whose bytes are damaged; those after it are still to be looked at.
        for _ in 0..DAMAGED {
            match self.look_from(from, scanner, ids, &path, &mut report) {
                Ok(end) if end == ids.len() => return report,
                Ok(end) => {
                    report.troubles.push(unreadable(ids[end]));
                    from = end + 1;
                }
                Err(error) => {
                    report.troubles.push(cannot_go_on(&error.to_string()));
                    return report;
                }
            }
        }
        report.troubles.push(cannot_go_on("too many objects are damaged"));
        report
    }

    /// Looks through the objects from this one on; says which one git ended at, or how many there
    /// are.
    fn look_from(
        &self,
        from: usize,
        scanner: &Scanner,
        ids: &[&str],
        path: &impl Fn(usize) -> Vec<u8>,
        report: &mut Report,
    ) -> Result<usize, GitError> {
        let mut child = self.start(&["cat-file", "--batch", "--buffer"], Stdio::null())?;
        let mut input = Vec::with_capacity(ids.len() * 41);
        for id in &ids[from..] {
            input.extend_from_slice(id.as_bytes());
            input.push(b'\n');
        }
        let feeder = feed(child.stdin.take(), input);
        let output = child.stdout.take().expect("it is piped");
        let mut objects = Objects { output: BufReader::with_capacity(1 << 18, output) };
        let mut examiner = Examiner::new(scanner);
        let mut at = from;
        while let Some(id) = ids.get(at) {
            match objects.next(&mut examiner) {
                Ok(Some((hits, bytes))) => {
                    report.files += 1;
                    report.bytes += bytes;
                    report.enter(scanner, &mut examiner, &path(at), Some(id), hits);
                }
                Ok(None) => report.troubles.push(unreadable(id)),
                Err(_) => break,
            }
            at += 1;
        }
        // One that still runs has no reader from here on.
        drop(objects);
        child.kill().ok();
        child.wait().ok();
        drop(feeder.join());
        Ok(at)
    }
}

fn unreadable(id: &str) -> Trouble {
    Trouble {
        path: format!("object {id}").into_bytes(),
        cause: "git can't read it: it is damaged, or is not in this clone".to_owned(),
    }
}

fn cannot_go_on(cause: &str) -> Trouble {
    Trouble { path: b"git cat-file".to_vec(), cause: cause.to_owned() }
}

fn failed(arguments: &[&str], cause: &str) -> GitError {
    GitError::Failed {
        command: arguments.first().copied().unwrap_or_default().to_owned(),
        cause: cause.to_owned(),
    }
}

/// Writes on a thread of its own, for git answers before it has read all.
fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // Git that went away says so by its exit code.
            stdin.write_all(&input).ok();
        }
    })
}

/// The answers of `git cat-file --batch`.
struct Objects {
    output: BufReader<ChildStdout>,
}

impl Objects {
    /// Looks through the next object; none where git does not have it.
    fn next(&mut self, examiner: &mut Examiner<'_>) -> io::Result<Option<(Vec<Hit>, u64)>> {
        let mut head = Vec::new();
        self.output.read_until(b'\n', &mut head)?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut words = head.split_ascii_whitespace().skip(1);
        let (kind, size) = (words.next(), words.next().and_then(|size| size.parse::<u64>().ok()));
        let Some(size) = size else {
            let is_missing = kind == Some("missing");
            return if is_missing { Ok(None) } else { Err(io::Error::other("it ended early")) };
        };
        let mut body = self.output.by_ref().take(size);
        let (hits, bytes) = examiner.stream(&mut body)?;
        if bytes < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.output.read_exact(&mut [0])?;
        Ok(Some((hits, bytes)))
    }
}
