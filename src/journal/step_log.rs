//! What one step printed, on disk: its beginning and its end, where it is more than a log keeps.
//!
//! `STEP.log` holds the beginning. What follows goes to `STEP.log.1`, `STEP.log.2` and so on, of
//! which the last two are kept: read one after the other, they are the log.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::journal::files;

/// The beginning that is kept of a log that is cut.
const HEAD: u64 = 16 << 20;

/// How much the log of a step keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimit {
    most: u64,
}

impl LogLimit {
    /// At most this many mebibytes, at least one.
    pub fn of_mebibytes(most: u32) -> Self {
        Self { most: u64::from(most.max(1)) << 20 }
    }

    fn head(self) -> u64 {
        HEAD.min(self.most / 4)
    }

    /// The size of each later piece, of which two are kept.
    fn piece(self) -> u64 {
        (self.most - self.head()) / 2
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::of_mebibytes(256)
    }
}

/// What is missing in a step's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Bytes left out of its middle, because it would have grown too long.
    pub cut: u64,
    /// Bytes that could not be written.
    pub unwritten: u64,
}

/// The log of one step.
#[derive(Debug)]
pub(super) struct StepLog {
    path: PathBuf,
    limit: LogLimit,
    /// None until it could be made.
    file: Option<File>,
    /// Bytes in `file`.
    written: u64,
    /// The number of `file`; 0 is the beginning.
    number: u32,
    /// Bytes in the piece before.
    before: u64,
    /// Bytes of the beginning.
    head: u64,
    /// The first piece after the beginning that is not removed.
    first_kept: u32,
    in_line: bool,
    missing: Missing,
    /// What the beginning says is left out after it.
    said_cut: u64,
    /// Bytes that could not be written since something last could.
    gap: u64,
    /// Whether it was said that output is missing.
    said_missing: bool,
}

impl StepLog {
    /// The log at `path`, which is made when something is first written.
    pub(super) fn new(path: PathBuf, limit: LogLimit) -> Self {
        Self {
            path,
            limit,
            file: None,
            written: 0,
            number: 0,
            before: 0,
            head: 0,
            first_kept: 1,
            in_line: false,
            missing: Missing::default(),
            said_cut: 0,
            gap: 0,
            said_missing: false,
        }
    }

    /// What is missing so far.
    pub(super) fn missing(&self) -> Missing {
        self.missing
    }

    /// Whether the last line is still open.
    pub(super) fn in_line(&self) -> bool {
        self.in_line
    }

    /// Adds text. After an error it goes on with what comes when there is room again, and says how
    /// much is missing before it.
    ///
    /// # Errors
    ///
    /// When something could not be written.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        let done = self.try_write(text);
        if let Err((left, _)) = &done {
            self.gap += *left as u64;
            self.missing.unwritten += *left as u64;
        }
        done.map_err(|(_, error)| error)
    }

    /// The error, if it is the first since something could last be written.
    pub(super) fn news(&mut self, done: io::Result<()>) -> io::Result<()> {
        let was_said = std::mem::replace(&mut self.said_missing, done.is_err());
        if was_said { Ok(()) } else { done }
    }

    /// The bytes that were not written, and why.
    fn try_write(&mut self, text: &str) -> Result<(), (usize, io::Error)> {
        let whole = |error| (text.len(), error);
        let newline = if self.in_line { "\n" } else { "" };
        let note = match self.gap {
            0 => String::new(),
            gap => format!("{newline}--- {gap} bytes are missing here: they could not be written ---\n"),
        };
        self.make_room((note.len() + text.len()) as u64).map_err(whole)?;
        self.append(note.as_bytes()).map_err(|(_, error)| whole(error))?;
        self.gap = 0;
        self.append(text.as_bytes())
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        while !bytes.is_empty() {
            let written = self.file().and_then(|mut file| file.write(bytes));
            match written {
                Ok(0) => return Err((bytes.len(), io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.in_line = bytes[count - 1] != b'\n';
                    self.written += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((bytes.len(), error)),
            }
        }
        Ok(())
    }

    /// The file of the piece that is written now; made if it is missing.
    fn file(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let file = files::append_to(&piece(&self.path, self.number))?;
            self.written = file.metadata()?.len();
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Begins another piece where this one is full, and removes the one before the last.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        self.file()?;
        let most = if self.number == 0 { self.limit.head() } else { self.limit.piece() };
        if self.written > 0 && self.written + bytes > most {
            let next = files::append_to(&piece(&self.path, self.number + 1))?;
            // All is as it will be before something else can fail: else the same piece would be begun and
            // counted again with the next text.
            if self.number == 0 {
                self.head = self.written;
            } else {
                self.missing.cut += self.before;
                self.before = self.written;
            }
            self.number += 1;
            self.file = Some(next);
            self.written = 0;
        }
        // What can't be removed or said now is with the next text; this one need not be lost for it.
        self.tidy().ok();
        Ok(())
    }

    /// Removes all pieces but the last two, and says at the end of the beginning what is left out after it.
    fn tidy(&mut self) -> io::Result<()> {
        while self.first_kept + 1 < self.number {
            match fs::remove_file(piece(&self.path, self.first_kept)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.first_kept += 1,
            }
        }
        if self.said_cut == self.missing.cut {
            return Ok(());
        }
        let mut head = files::append_to(&self.path)?;
        head.set_len(self.head)?;
        let (cut, most) = (self.missing.cut, self.limit.most >> 20);
        writeln!(head, "\n--- {cut} bytes are left out here: the log of a step keeps {most} MiB ---")?;
        self.said_cut = cut;
        Ok(())
    }
}

/// The path of a piece.
fn piece(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// The pieces of a log that are there, in order.
pub(super) fn pieces(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let number = |entry: &fs::DirEntry| -> Option<u32> {
        let entry = entry.file_name();
        let rest = entry.to_str()?.strip_prefix(&name)?;
        if rest.is_empty() { Some(0) } else { rest.strip_prefix('.')?.parse().ok() }
    };
    let entries = path.parent().and_then(|folder| fs::read_dir(folder).ok());
    let mut numbers: Vec<u32> =
        entries.into_iter().flatten().flatten().filter_map(|entry| number(&entry)).collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| piece(path, number)).collect()
}

#[cfg(test)]
mod tests;
