//! Whether the log is as it was written.

use crate::audit::AuditAction;
use crate::audit::AuditError;
use crate::audit::AuditLog;
use crate::audit::file;
use crate::audit::line;

impl AuditLog {
    /// Looks whether every line is as it was written, and none is missing.
    ///
    /// # Errors
    ///
    /// When the file can't be read; that there is none is not an error.
    pub fn verify(&self) -> Result<Verdict, AuditError> {
        verify(self)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Lines of the log.
    pub lines: u64,
    /// Lines that a crash cut short, which is not a fault of the log: by number, from 1.
    pub torn: Vec<u64>,
    /// The first line that is not as it was written.
    pub wrong: Option<Wrong>,
}

/// A line that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong, to follow "line N".
    pub why: String,
}

pub(super) fn verify(log: &AuditLog) -> Result<Verdict, AuditError> {
    let lock = file::wait_for_writer(log)?;
    let (bytes, head) = (file::read(log)?, file::head(log)?);
    drop(lock);
    let is_open = bytes.last().is_some_and(|&byte| byte != b'\n');
    let lines: Vec<&[u8]> = file::lines(&bytes).collect();
    let mut verdict = Verdict { lines: lines.len() as u64, ..Verdict::default() };
    let mut prev = line::no_line();
    for (number, (index, text)) in (1..).zip(lines.iter().enumerate()) {
        let next = lines.get(index + 1).and_then(|next| line::parse(next));
        let fault = match line::parse(text) {
            // A line is known to `audit.head` only when it was written as a whole.
            _ if is_open
                && index + 1 == lines.len()
                && head.as_ref().is_none_or(|head| head.seq < number) =>
            {
                verdict.torn.push(number);
                None
            }
            Some(entry) => fault_of(&entry, number, &prev),
            None if next.is_some_and(|next| next.what.action == AuditAction::Healed) => {
                verdict.torn.push(number);
                None
            }
            None => Some("can't be read".to_owned()),
        };
        if let Some(why) = fault {
            verdict.wrong = Some(Wrong { line: number, why });
            return Ok(verdict);
        }
        prev = line::digest(text);
        if let Some(head) = &head
            && head.seq == number
            && head.digest != prev
        {
            verdict.wrong = Some(Wrong { line: number, why: "is not the line that was written".to_owned() });
            return Ok(verdict);
        }
    }
    verdict.wrong = match head {
        Some(head) if head.seq > verdict.lines => {
            Some(Wrong { line: verdict.lines + 1, why: format!("is gone: the log had {} lines", head.seq) })
        }
        None if verdict.lines > 0 => Some(Wrong {
            line: verdict.lines,
            why: "is the last, but where the log ended is not known: `audit.head` is gone or can't be read"
                .to_owned(),
        }),
        _ => None,
    };
    Ok(verdict)
}

fn fault_of(entry: &line::Entry, number: u64, prev: &str) -> Option<String> {
    if entry.what.action == AuditAction::Gap {
        return Some("was written after earlier lines were removed or changed".to_owned());
    }
    if entry.seq != number {
        return Some(format!("has the number {}: lines are missing or were inserted", entry.seq));
    }
    (entry.prev != prev).then(|| {
        if number == 1 {
            "is not the first that was written".to_owned()
        } else {
            format!("does not fit the line before it: line {} was changed", number - 1)
        }
    })
}
