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
    file: File,
    /// Bytes in `file`.
    written: u64,
    /// The number of `file`; 0 is the beginning.
    number: u32,
    /// Bytes in the piece before.
    before: u64,
    /// Bytes of the beginning.
    head: u64,
    in_line: bool,
    missing: Missing,
    /// Bytes that could not be written since something last could.
    gap: u64,
}

impl StepLog {
    /// Opens the log; makes it if it is missing.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub(super) fn open(path: PathBuf, limit: LogLimit) -> io::Result<Self> {
        let file = files::append_to(&path)?;
        let written = file.metadata()?.len();
        Ok(Self {
            path,
            limit,
            file,
            written,
            number: 0,
            before: 0,
            head: 0,
            in_line: false,
            missing: Missing::default(),
            gap: 0,
        })
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

    /// The bytes that were not written, and why.
    fn try_write(&mut self, text: &str) -> Result<(), (usize, io::Error)> {
        let whole = |error| (text.len(), error);
        if self.gap > 0 {
            let newline = if self.in_line { "\n" } else { "" };
            let note =
                format!("{newline}--- {} bytes are missing here: they could not be written ---\n", self.gap);
            self.append(note.as_bytes()).map_err(|(_, error)| whole(error))?;
            self.gap = 0;
        }
        self.make_room(text.len() as u64).map_err(whole)?;
        self.append(text.as_bytes())?;
        Ok(())
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
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

    /// Begins another piece where this one is full, and removes the one before the last.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let most = if self.number == 0 { self.limit.head() } else { self.limit.piece() };
        if self.written == 0 || self.written + bytes <= most {
            return Ok(());
        }
        let next = files::append_to(&piece(&self.path, self.number + 1))?;
        if self.number == 0 {
            self.head = self.written;
        } else if self.number > 1 {
            fs::remove_file(piece(&self.path, self.number - 1))?;
            self.missing.cut += self.before;
            self.say_cut()?;
        }
        self.before = self.written;
        self.number += 1;
        self.file = next;
        self.written = 0;
        Ok(())
    }

    /// Writes at the end of the beginning what is left out after it.
    fn say_cut(&self) -> io::Result<()> {
        let mut head = files::append_to(&self.path)?;
        head.set_len(self.head)?;
        let (cut, most) = (self.missing.cut, self.limit.most >> 20);
        writeln!(head, "\n--- {cut} bytes are left out here: the log of a step keeps {most} MiB ---")
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
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        pieces(path).iter().map(|piece| fs::read_to_string(piece).unwrap()).collect()
    }

    #[test]
    fn a_log_below_its_limit_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = StepLog::open(path.clone(), LogLimit::of_mebibytes(1)).unwrap();
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
        let mut log = StepLog::open(path.clone(), LogLimit::of_mebibytes(1)).unwrap();
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
            text.contains(&format!(
                "\n--- {cut} bytes are left out here: the log of a step keeps 1 MiB ---\n"
            ))
        );
        let printed: u64 = (0..lines).map(|number| format!("{number} {piece}\n").len() as u64).sum();
        let note = text.lines().find(|line| line.starts_with("---")).unwrap().len() as u64 + 2;
        assert_eq!(text.len() as u64 - note + cut, printed, "nothing else is missing");
    }
}
