//! What the settings say to pass over.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use crate::cli::error::CliError;
use crate::secret::scan::Finding;

/// Digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// Paths, written as in `.gitignore`, and fingerprints.
pub(super) struct Allowed {
    /// Where relative paths begin.
    root: PathBuf,
    paths: Gitignore,
    fingerprints: HashSet<String>,
}

impl Allowed {
    /// # Errors
    ///
    /// When an entry is neither.
    pub(super) fn new(entries: &[String], root: &Path) -> Result<Self, CliError> {
        let is_fingerprint = |entry: &&String| {
            entry.len() == FINGERPRINT && entry.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let (fingerprints, paths): (Vec<&String>, Vec<&String>) = entries.iter().partition(is_fingerprint);
        let mut builder = GitignoreBuilder::new("");
        let wrong = |entry: &str, error: &ignore::Error| {
            CliError::usage(format!("`{entry}` in `allow` of `[scan]` is no pattern of paths"))
                .cause(error.to_string())
        };
        for entry in paths {
            builder.add_line(None, entry).map_err(|error| wrong(entry, &error))?;
        }
        let paths = builder.build().map_err(|error| wrong("allow", &error))?;
        let fingerprints = fingerprints.into_iter().map(|entry| entry.to_ascii_lowercase()).collect();
        Ok(Self { root: root.to_owned(), paths, fingerprints })
    }

    /// Whether a finding is to be passed over.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let path = Path::new(OsStr::from_bytes(&finding.path));
        finding.hit.is_allowed
            || finding.hit.fingerprint.as_ref().is_some_and(|print| self.fingerprints.contains(print))
            || self.paths.matched_path_or_any_parents(self.below_root(path), false).is_ignore()
    }

    /// A path as the patterns have it. One that is elsewhere begins at the root of the system.
    fn below_root<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).or_else(|_| path.strip_prefix("/")).unwrap_or(path)
    }
}
