//! The log's bytes: appended whole lines, one writer at a time, on the disk before it goes on.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::audit::AuditAction;
use crate::audit::AuditError;
use crate::audit::AuditLog;
use crate::audit::Entry;
use crate::audit::Use;
use crate::audit::line;
use crate::file_lock;

impl AuditLog {
    /// Adds lines: all of them are on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When they are not.
    pub fn record(&self, uses: &[Use]) -> Result<(), AuditError> {
        append(self, uses)
    }

    /// All lines that can be read, in order.
    ///
    /// # Errors
    ///
    /// When the file can't be read; that there is none is not an error.
    pub fn entries(&self) -> Result<Vec<Entry>, AuditError> {
        Ok(lines(&read(self)?).filter_map(line::parse).collect())
    }
}

/// How long a writer waits for another writer.
const LOCK_DEADLINE: Duration = Duration::from_secs(10);

/// A line is shorter than this; the end of the file is read in pieces of this size.
const LINE: u64 = 64 << 10;

/// Where the log ended when it was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub seq: u64,
    pub digest: String,
}

impl Head {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seq, digest) = text.trim_end().split_once(' ')?;
        Some(Self { seq: seq.parse().ok()?, digest: digest.to_owned() })
    }
}

/// Options that make a file for its user alone, and follow no link.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

pub(super) fn failed(action: &'static str, path: &Path, error: &impl ToString) -> AuditError {
    AuditError::Io { action, path: path.display().to_string(), cause: error.to_string() }
}

fn make_folder(log: &AuditLog) -> Result<(), AuditError> {
    let folder = log.folder();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed("make", folder, &error))
}

/// Refuses what somebody else could have written.
fn own(path: &Path, file: &File) -> Result<(), AuditError> {
    let metadata = file.metadata().map_err(|error| failed("look at", path, &error))?;
    let mode = metadata.mode() & 0o777;
    let cause = if !metadata.is_file() {
        "is not a regular file".to_owned()
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user".to_owned()
    } else if mode & 0o077 != 0 {
        format!("is open to others (mode {mode:03o}, expected 600)")
    } else {
        return Ok(());
    };
    Err(AuditError::NotOurs { path: path.display().to_string(), cause })
}

/// A file of the user's own, whole; none where there is none.
pub(super) fn read_own(path: &Path) -> Result<Option<Vec<u8>>, AuditError> {
    let mut file = match options().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path, &error)),
    };
    own(path, &file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| failed("read", path, &error))?;
    Ok(Some(bytes))
}

/// The whole log; nothing where there is none.
pub(super) fn read(log: &AuditLog) -> Result<Vec<u8>, AuditError> {
    Ok(read_own(&log.path())?.unwrap_or_default())
}

/// The lines of a log, without their ends; the last may be incomplete.
pub(super) fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.strip_suffix(b"\n").unwrap_or(log).split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// What the log said last.
#[derive(Debug, Default)]
struct Tail {
    /// The last line that can be read: its number, and what it is in the chain.
    last: Option<Head>,
    /// What is left of a line that was cut short, if the file ends so.
    torn: Option<Vec<u8>>,
    /// Whether that lacks even its line break.
    is_open: bool,
}

pub(super) fn append(log: &AuditLog, uses: &[Use]) -> Result<(), AuditError> {
    if uses.is_empty() {
        return Ok(());
    }
    let (head_path, path) = (log.head(), log.path());
    let mut head_file = locked(log)?;
    let is_new = !path.exists();
    let mut file = open(&path, options().read(true).append(true).create(true))?;
    let tail = tail(&mut file).map_err(|error| failed("read", &path, &error))?;
    let mut known = String::new();
    head_file.read_to_string(&mut known).map_err(|error| failed("read", &head_path, &error))?;

    let is_first = tail.last.is_none() && tail.torn.is_none() && known.is_empty();
    if is_first {
        // From here on a log without a head is one whose head was taken away.
        write_head(&mut head_file, &Head { seq: 0, digest: line::no_line() })
            .and_then(|()| head_file.sync_all())
            .map_err(|error| failed("write to", &head_path, &error))?;
    }
    let (text, head) = compose(uses, tail, Head::parse(&known), is_first);
    file.write_all(&text)
        .and_then(|()| file.sync_data())
        .and_then(|()| if is_new { File::open(log.folder())?.sync_all() } else { Ok(()) })
        .map_err(|error| failed("write to", &path, &error))?;
    // It may lag behind after a crash, which is seen; it never runs ahead.
    write_head(&mut head_file, &head).map_err(|error| failed("write to", &head_path, &error))
}

fn write_head(file: &mut File, head: &Head) -> std::io::Result<()> {
    let text = format!("{} {}\n", head.seq, head.digest);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// The one place that writes: the file that says where the log ended, locked until it is closed.
pub(super) fn locked(log: &AuditLog) -> Result<File, AuditError> {
    make_folder(log)?;
    let path = log.head();
    let file = open(&path, options().read(true).write(true).create(true).truncate(false))?;
    lock(&path, &file)?;
    Ok(file)
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<File, AuditError> {
    let file = options.open(path).map_err(|error| failed("open", path, &error))?;
    own(path, &file)?;
    Ok(file)
}

fn lock(path: &Path, file: &File) -> Result<(), AuditError> {
    if file_lock::lock(file, LOCK_DEADLINE).map_err(|error| failed("lock", path, &error))? {
        return Ok(());
    }
    Err(AuditError::Busy { path: path.display().to_string() })
}

/// The lines to write, and where the log ends then. Only the first lines of all have no head that
/// is `known`.
fn compose(uses: &[Use], tail: Tail, known: Option<Head>, is_first: bool) -> (Vec<u8>, Head) {
    let mut text = Vec::new();
    let nothing = Head { seq: 0, digest: line::no_line() };
    let mut head = tail.last.unwrap_or(nothing);
    let add = |head: &mut Head, text: &mut Vec<u8>, what: &Use| {
        let line = line::write(head.seq + 1, std::mem::take(&mut head.digest), what);
        *head = Head { seq: head.seq + 1, digest: line::digest(&line) };
        text.extend_from_slice(&line);
        text.push(b'\n');
    };
    let is_cut = known.map_or(!is_first, |known| {
        // A line is known only when it was written as a whole: one that a crash cut short is not.
        known.seq > head.seq || (known.seq == head.seq && known.digest != head.digest)
    });
    if let Some(torn) = tail.torn {
        if tail.is_open {
            text.push(b'\n');
        }
        head = Head { seq: head.seq + 1, digest: line::digest(&torn) };
        add(&mut head, &mut text, &Use { action: AuditAction::Healed, ..Use::default() });
    }
    if is_cut {
        add(&mut head, &mut text, &Use { action: AuditAction::Gap, ..Use::default() });
    }
    for what in uses {
        add(&mut head, &mut text, what);
    }
    (text, head)
}

/// Reads the last lines, from the end.
fn tail(file: &mut File) -> std::io::Result<Tail> {
    let len = file.metadata()?.len();
    let mut size = LINE;
    loop {
        let from = len.saturating_sub(size);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(len - from).read_to_end(&mut bytes)?;
        // A line whose start may lie before what was read is not looked at.
        let whole = if from == 0 {
            &bytes[..]
        } else {
            let first = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
            &bytes[first..]
        };
        let mut lines: Vec<&[u8]> = lines(whole).collect();
        let mut tail = Tail { is_open: bytes.last().is_some_and(|&byte| byte != b'\n'), ..Tail::default() };
        let read = |line: &&[u8]| line::parse(line).map(|entry| (entry.seq, line::digest(line)));
        if let Some(last) = lines.last()
            && (tail.is_open || read(last).is_none())
        {
            tail.torn = Some(last.to_vec());
            lines.pop();
        }
        tail.last = lines.last().map(|line| match read(line) {
            Some((seq, digest)) => Head { seq, digest },
            None => Head { seq: 0, digest: line::digest(line) },
        });
        if tail.last.is_some() || from == 0 {
            return Ok(tail);
        }
        size *= 4;
    }
}

/// What the head's file says; none where there is none.
pub(super) fn head(log: &AuditLog) -> Result<Option<Head>, AuditError> {
    let text = read_own(&log.head())?.unwrap_or_default();
    Ok(std::str::from_utf8(&text).ok().and_then(Head::parse))
}

/// Waits for a writer that is at it, so that what is read is whole.
pub(super) fn wait_for_writer(log: &AuditLog) -> Result<Option<File>, AuditError> {
    let path = log.head();
    match options().read(true).open(&path) {
        Ok(file) => {
            lock(&path, &file)?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("open", &path, &error)),
    }
}
