//! One line of the log.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

/// The form of the lines; raised when an older reader would misread one.
const FORM: u32 = 1;

/// What was done with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditAction {
    /// Its value was read from its source for a run or a command.
    #[default]
    Fetch,
    /// It went to a host, or to a process of this machine.
    Deliver,
    /// It was shown to the user, or put on the clipboard.
    Reveal,
    /// It was written out by `export`, or to another source.
    Export,
    /// A value was stored.
    Set,
    /// A new value took the place of the old one.
    Rotate,
    /// An older value took its place again.
    Rollback,
    /// It was removed.
    Remove,
    /// It got another name.
    Move,
    /// The line before was cut short by a crash.
    Healed,
    /// Lines before this one are gone or changed.
    Gap,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

impl AuditAction {
    /// Whether somebody has the value since: a host, a process, a file, the user.
    pub fn gives_out(self) -> bool {
        matches!(self, Self::Deliver | Self::Reveal | Self::Export)
    }

    /// What stands before its source for people.
    pub fn place_word(self) -> &'static str {
        match self {
            Self::Set | Self::Rotate | Self::Rollback | Self::Move => "in",
            _ => "from",
        }
    }

    /// The word for people, the same as in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Deliver => "deliver",
            Self::Reveal => "reveal",
            Self::Export => "export",
            Self::Set => "set",
            Self::Rotate => "rotate",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
            Self::Move => "move",
            Self::Healed => "healed",
            Self::Gap => "gap",
            Self::Unknown => "unknown",
        }
    }
}

/// One use of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Use {
    /// What was done.
    #[serde(rename = "deed")]
    pub action: AuditAction,
    /// The name or reference, without its default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret: String,
    /// Where it was found or put, as in "vault record `db/url`".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The host that got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The variable that carries it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The way it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// What stands for the value; see [`AuditLog::fingerprint`](super::AuditLog::fingerprint).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// It was tried, as an earlier line says, and ended in an error: what became of it is not
    /// known for sure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// One line as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The form of the line.
    pub schema: u32,
    /// The number of the line, from 1.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: Use,
    /// The SHA-256 of the line before, in hexadecimal; zeros for the first.
    pub prev: String,
}

/// What a line is in the chain.
pub(super) fn digest(line: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(line))
}

/// What stands for the line before the first.
pub(super) fn no_line() -> String {
    "0".repeat(64)
}

pub(super) fn parse(line: &[u8]) -> Option<Entry> {
    serde_json::from_slice(line).ok()
}

/// A line without its end.
pub(super) fn write(seq: u64, prev: String, what: &Use) -> Vec<u8> {
    let entry = Entry { schema: FORM, seq, time: Timestamp::now(), what: what.clone(), prev };
    serde_json::to_vec(&entry).expect("it is made of texts and numbers")
}
