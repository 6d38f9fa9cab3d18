//! What the settings say to pass over.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use crate::cli::error::CliError;
use crate::secret::scan::Finding;

/// Digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// Paths, written as in `.gitignore`, and fingerprints.
pub(super) struct Allowed {
    paths: Gitignore,
    fingerprints: HashSet<String>,
}

impl Allowed {
    /// # Errors
    ///
    /// When an entry is neither.
    pub(super) fn new(entries: &[String]) -> Result<Self, CliError> {
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
        Ok(Self { paths, fingerprints })
    }

    /// Whether a finding is to be passed over.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let path = Path::new(OsStr::from_bytes(&finding.path));
        finding.hit.is_allowed
            || finding.hit.fingerprint.as_ref().is_some_and(|print| self.fingerprints.contains(print))
            || (path.is_relative() && self.paths.matched_path_or_any_parents(path, false).is_ignore())
    }
}
