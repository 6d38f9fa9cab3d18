//! What the settings say to skip.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use doppio_secrets::scan::Finding;

use crate::cli::error::CliError;

/// Digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// Paths, written as in `.gitignore`, and fingerprints.
pub(super) struct Allowed {
    /// Where the paths of the project begin, and where they end.
    root: PathBuf,
    /// Where those of findings begin.
    base: PathBuf,
    project: Gitignore,
    everywhere: Gitignore,
    fingerprints: HashSet<String>,
}

impl Allowed {
    /// Of the entries of the project whose folder is `root`, and of the user. Paths of findings
    /// begin at `base`.
    pub(super) fn new(
        [project, user]: &[Vec<String>; 2],
        root: &Path,
        base: &Path,
    ) -> Result<Self, CliError> {
        let mut fingerprints = HashSet::new();
        let (project, everywhere) =
            (patterns(project, &mut fingerprints)?, patterns(user, &mut fingerprints)?);
        Ok(Self { root: root.to_owned(), base: root.join(base), project, everywhere, fingerprints })
    }

    /// Whether a finding is to be passed over.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        finding.hit.is_allowed
            || finding.hit.fingerprint.as_ref().is_some_and(|print| self.fingerprints.contains(print))
            || self.covers_path(Path::new(OsStr::from_bytes(&finding.path)))
    }

    fn covers_path(&self, path: &Path) -> bool {
        let whole = without_dots(&self.base.join(path));
        let is_in =
            |patterns: &Gitignore, path| patterns.matched_path_or_any_parents(path, false).is_ignore();
        match whole.strip_prefix(&self.root) {
            Ok(path) => is_in(&self.project, path) || is_in(&self.everywhere, path),
            // One that is elsewhere begins at the root of the system.
            Err(_) => is_in(&self.everywhere, whole.strip_prefix("/").unwrap_or(&whole)),
        }
    }
}

/// The paths among entries; the others are fingerprints.
fn patterns(entries: &[String], fingerprints: &mut HashSet<String>) -> Result<Gitignore, CliError> {
    let mut builder = GitignoreBuilder::new("");
    let wrong = |entry: &str, error: &ignore::Error| {
        CliError::usage(format!("`{entry}` in `allow` of `[scan]` is not a path pattern"))
            .cause(error.to_string())
    };
    for entry in entries {
        if entry.len() == FINGERPRINT && entry.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            fingerprints.insert(entry.to_ascii_lowercase());
        } else {
            builder.add_line(None, entry).map_err(|error| wrong(entry, &error))?;
        }
    }
    builder.build().map_err(|error| wrong("allow", &error))
}

/// A path without `.` and `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}
