//! The process environment as it was at the start, handed in by `cli`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::named;
use crate::named::looks_like_path;

/// A snapshot of the environment. Values may be secrets, so its `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// A variable's value, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set to nothing, or to nothing but space.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        self.0.get(OsStr::new(name)).is_some_and(|value| value.as_encoded_bytes().trim_ascii().is_empty())
    }

    /// A variable's value as text, if it is set, not empty and valid UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    /// A variable's value as a path. One that does not look like a path, and so may be a secret, is
    /// replaced by one that no file has: it can't be quoted.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|value| named::path(name, value))
    }

    /// A variable's value as a folder of Doppio's own, which need not exist yet.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// A variable's value as a list of paths, none of them empty; the same is true of each.
    pub fn paths(&self, name: &str) -> Option<Vec<PathBuf>> {
        let value = self.get(name)?;
        if !looks_like_path(value) {
            return Some(vec![named::path(name, value)]);
        }
        let paths = std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty());
        Some(paths.map(|path| named::path(name, path.as_os_str())).collect())
    }

    /// A variable's value as a name, as that of a profile; one that does not look like a name can't be
    /// quoted either.
    pub(crate) fn name(&self, name: &str) -> Option<&str> {
        self.text(name).map(|text| if looks_like_path(text.as_ref()) { text } else { "(not a name)" })
    }

    /// All of it, for a program that is to have the same.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// All names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|name| name.to_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
