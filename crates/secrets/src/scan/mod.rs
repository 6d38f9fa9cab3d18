//! The scanner: stored values in all their forms, and texts that look like tokens, in files, in
//! the index and in the history of a git repository.
//!
//! A [`Scanner`] holds what is looked for; an [`Examiner`] takes one stream of bytes after
//! another through it and says where something stands. `tree`, `staged` and `history` feed
//! it. No value leaves this module, nor its length.

mod collect;
mod examine;
mod git;
mod history;
mod hook;
mod lines;
mod needles;
mod normalised;
mod shapes;
mod sieve;
mod staged;
mod tree;
mod work;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;

use crate::SecretValue;
use crate::mask::Encoding;

pub use collect::Collected;
pub use collect::Wanted;
pub use collect::collect;
pub use examine::Examiner;
pub use git::GitError;
pub use git::Repository;
pub use history::history;
pub use hook::Hook;
pub use hook::install as install_hook;
pub use needles::Skipped;
pub use shapes::Shape;
pub use staged::staged;
pub use tree::Tree;
pub use tree::is_store;
pub use tree::tree;

use needles::Needles;
use shapes::Shapes;

/// What on a line says that its content is intended.
const ALLOW: &[u8] = b"doppio:allow";

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A stored value: its number, and how it is written.
    Value(u32, Encoding),
    /// A text that looks like a token.
    Shape(&'static str),
}

/// A place in one stream of bytes.
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

/// A place in a file.
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
    /// What was found, by path and place.
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
    fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.troubles.extend(other.troubles);
        self.files += other.files;
        self.bytes += other.bytes;
        self.stores.extend(other.stores);
    }

    fn sort(&mut self) {
        self.findings.sort_by(|one, other| (&one.path, one.hit.offset).cmp(&(&other.path, other.hit.offset)));
        self.troubles.sort_by(|one, other| one.path.cmp(&other.path));
        self.troubles.dedup();
        self.stores.sort();
        self.stores.dedup();
    }
}

/// What is looked for.
pub struct Scanner {
    needles: Needles,
    shapes: Option<Shapes>,
    keeps_text: bool,
}

impl Scanner {
    /// Looks for values by name, and for token shapes if `shapes` says so. Reports which values are
    /// not searched for.
    pub fn new(values: &[(String, SecretValue)], shapes: bool) -> (Self, Vec<Skipped>) {
        let (needles, skipped) = Needles::new(values);
        (Self { needles, shapes: shapes.then(Shapes::new), keeps_text: false }, skipped)
    }

    /// The same, with the bytes that were found in each [`Hit`].
    #[must_use]
    pub fn keeping_text(mut self) -> Self {
        self.keeps_text = true;
        self
    }

    /// How many values are looked for.
    pub fn values(&self) -> usize {
        self.needles.count()
    }

    /// What a hit is of: the name of a secret, or the kind of a token.
    pub fn name(&self, what: What) -> &str {
        match what {
            What::Value(secret, _) => self.needles.name(secret),
            What::Shape(id) => id,
        }
    }

    /// Looks through bytes that are all there.
    pub fn search(&self, bytes: &[u8]) -> Vec<Hit> {
        Examiner::new(self).bytes(bytes)
    }

    /// The bytes with all that was found in them replaced by `***`: for paths, which are shown.
    pub fn mask(&self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        let mut from = 0;
        let mut places: Vec<_> = Examiner::new(self).places(bytes);
        places.sort_by_key(|place| place.start);
        for place in places {
            if place.start >= from {
                shown.extend_from_slice(&bytes[from..place.start]);
                shown.extend_from_slice(b"***");
            }
            from = from.max(place.end);
        }
        shown.extend_from_slice(&bytes[from.min(bytes.len())..]);
        shown
    }
}

/// What stands for a token. Tokens are too random to be found by trying, so that the same one
/// may have the same fingerprint on every machine, and can be allowed in a file that is shared.
fn fingerprint(token: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(b"doppio secret scan, form 1");
    let mac = mac.expect("HMAC takes keys of every length");
    data_encoding::HEXLOWER.encode(&mac.chain_update(token).finalize().into_bytes()[..8])
}

#[cfg(test)]
mod tests;
