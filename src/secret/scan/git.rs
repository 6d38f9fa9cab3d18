//! Asking git. It is asked by its own program, which knows every form of a repository.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use crate::secret::scan::Examiner;
use crate::secret::scan::Hit;
use crate::secret::scan::Report;
use crate::secret::scan::Scanner;
use crate::secret::scan::Trouble;

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
    #[error("`{path}` is in no git repository")]
    NoRepository {
        /// The folder.
        path: String,
    },
    /// It said no.
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
}

impl Repository {
    /// The one that this folder, or the folder of this file, is in.
    ///
    /// # Errors
    ///
    /// When it is in none, or there is no git.
    pub fn at(path: &Path) -> Result<Self, GitError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let own = Self { folder: folder.to_owned() };
        match own.read(&["rev-parse", "--git-dir"]) {
            Ok(_) => Ok(own),
            Err(error @ GitError::NoGit { .. }) => Err(error),
            Err(_) => Err(GitError::NoRepository { path: folder.display().to_string() }),
        }
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
        let mut child = self.start(arguments)?;
        let feeder = feed(child.stdin.take(), input);
        let output = child.wait_with_output().map_err(|error| failed(arguments, &error.to_string()))?;
        drop(feeder.join());
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(failed(arguments, words.trim().lines().next_back().unwrap_or("no words")))
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Result<Child, GitError> {
        Command::new("git")
            .arg("-C")
            .arg(&self.folder)
            .args(["-c", "core.quotePath=false", "--no-optional-locks", "--no-replace-objects"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| GitError::NoGit { cause: error.to_string() })
    }

    /// Looks through objects by their ids.
    pub(super) fn look(&self, scanner: &Scanner, ids: &[&str], path: impl Fn(usize) -> Vec<u8>) -> Report {
        let mut report = Report::default();
        if let Err(error) = self.look_into(scanner, ids, &path, &mut report) {
            let cause = error.to_string();
            report.troubles.push(Trouble { path: b"git cat-file".to_vec(), cause });
        }
        report
    }

    fn look_into(
        &self,
        scanner: &Scanner,
        ids: &[&str],
        path: &impl Fn(usize) -> Vec<u8>,
        report: &mut Report,
    ) -> Result<(), GitError> {
        const COMMAND: &[&str] = &["cat-file", "--batch", "--buffer"];
        let mut child = self.start(COMMAND)?;
        let mut input = Vec::with_capacity(ids.len() * 41);
        for id in ids {
            input.extend_from_slice(id.as_bytes());
            input.push(b'\n');
        }
        let feeder = feed(child.stdin.take(), input);
        let output = child.stdout.take().expect("it is piped");
        let mut objects = Objects { output: BufReader::with_capacity(1 << 18, output) };
        let mut examiner = Examiner::new(scanner);
        for (index, id) in ids.iter().enumerate() {
            let answer = objects.next(&mut examiner).map_err(|error| failed(COMMAND, &error.to_string()))?;
            match answer {
                Some((hits, bytes)) => {
                    report.files += 1;
                    report.bytes += bytes;
                    let name = path(index);
                    report.enter(scanner, &mut examiner, &name, Some(id), hits);
                }
                None => report.troubles.push(Trouble {
                    path: format!("object {id}").into_bytes(),
                    cause: "git does not have it here".to_owned(),
                }),
            }
        }
        drop(objects);
        drop(feeder.join());
        child.wait().map_err(|error| failed(COMMAND, &error.to_string()))?;
        Ok(())
    }
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
