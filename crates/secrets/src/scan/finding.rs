//! What was found, and where.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;

use crate::SecretValue;
use crate::mask::Encoding;

/// What on a line says that its content is intended.
pub(super) const ALLOW: &[u8] = b"doppio:allow";

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A stored value: its number, and how it is written.
    Value(u32, Encoding),
    /// A text that looks like a token.
    Shape(&'static str),
}

/// Something found, by its location in one stream of bytes.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What stands there.
    pub what: What,
    /// From 1.
    pub line: u64,
    /// In bytes, from 1.
    pub column: u64,
    /// In bytes, from 0.
    pub offset: u64,
    /// What stands for a token that is not stored: the same text has the same one everywhere.
    /// None for a stored value, which may be guessed.
    pub fingerprint: Option<String>,
    /// The line says `doppio:allow`.
    pub is_allowed: bool,
    /// The bytes that were found, if they are wanted.
    pub text: Option<SecretValue>,
}

/// Something found, by its location in a file.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The file's path, as it is called: any bytes.
    pub path: Vec<u8>,
    /// The commit that brought it, where the history was searched; none for what no commit has.
    pub commit: Option<String>,
    /// The git object it is in, where git was asked.
    pub object: Option<String>,
    /// Where in it; none where the path itself holds it.
    pub hit: Hit,
    /// It is in the name of the file.
    pub in_path: bool,
}

/// What could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file or object.
    pub path: Vec<u8>,
    /// The system's words.
    pub cause: String,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, by path and offset.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub troubles: Vec<Trouble>,
    /// Files or objects that were looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bare repositories among the files: their history was not looked at.
    pub stores: Vec<Vec<u8>>,
}

impl Report {
    /// Adds what another part of the search came to.
    pub(super) fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.troubles.extend(other.troubles);
        self.files += other.files;
        self.bytes += other.bytes;
        self.stores.extend(other.stores);
    }

    pub(super) fn sort(&mut self) {
        self.findings.sort_by(|one, other| (&one.path, one.hit.offset).cmp(&(&other.path, other.hit.offset)));
        self.troubles.sort_by(|one, other| one.path.cmp(&other.path));
        self.troubles.dedup();
        self.stores.sort();
        self.stores.dedup();
    }
}

/// What stands for a token. Tokens are too random to be found by trying, so that the same one
/// may have the same fingerprint on every machine, and can be allowed in a file that is shared.
pub(super) fn fingerprint(token: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(b"doppio secret scan, form 1");
    let mac = mac.expect("HMAC takes keys of every length");
    data_encoding::HEXLOWER.encode(&mac.chain_update(token).finalize().into_bytes()[..8])
}
