//! The machine that providers are looked for on: its environment and a home.

use std::io;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use doppio_text::open;
use doppio_text::shell::typed;

use crate::Environment;
use crate::SecretValue;
use crate::format;
use crate::format::Format;
use crate::format::Ini;
use crate::vendor::ProviderError;

/// A longer file is not a credential, in bytes.
const LONGEST: u64 = 4 << 20;

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Local<'a> {
    env: &'a Environment,
    home: &'a Path,
    /// What is asked for of a provider that has several: a profile, a host, a context.
    which: Option<&'a str>,
    may_run: bool,
}

/// A file as it was read.
pub(super) struct File {
    /// Where.
    pub path: PathBuf,
    /// What is in it.
    pub value: SecretValue,
    /// What is unsafe about it.
    pub warning: Option<String>,
}

impl<'a> Local<'a> {
    /// This environment and this home; vendors' programs may be run.
    pub fn new(env: &'a Environment, home: &'a Path) -> Self {
        Self { env, home, which: None, may_run: true }
    }

    /// The same, for one profile, host or context.
    #[must_use]
    pub fn which(self, which: Option<&'a str>) -> Self {
        Self { which, ..self }
    }

    /// The same without running a program: what only a program can tell stays unproven.
    #[must_use]
    pub fn at_rest(self) -> Self {
        Self { may_run: false, ..self }
    }

    /// What is asked for of several.
    pub(super) fn asked(&self) -> Option<&'a str> {
        self.which
    }

    /// Whether a vendor's program may be run.
    pub(super) fn may_run(&self) -> bool {
        self.may_run
    }

    /// The environment.
    pub(super) fn env(&self) -> &'a Environment {
        self.env
    }

    /// A variable as text; blank counts as unset.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.env.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A variable that holds a name, as that of a profile; blank counts as unset.
    pub(super) fn name(&self, name: &str) -> Option<&'a str> {
        self.env.name(name).filter(|text| !text.trim().is_empty())
    }

    /// A variable that holds a token, without white space around it.
    pub(super) fn token(&self, name: &str) -> Option<SecretValue> {
        let bytes = self.env.get(name)?.as_bytes().trim_ascii();
        (!bytes.is_empty()).then(|| SecretValue::new(bytes.to_vec()))
    }

    /// A variable that holds a path, with its `~` resolved.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.env.path(name).map(|path| self.below_home(&path))
    }

    /// A path below the home.
    pub(super) fn home(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    /// The directory of this variable of the XDG Base Directory Specification.
    pub(super) fn xdg(&self, variable: &str, fallback: &str) -> PathBuf {
        self.env.path(variable).unwrap_or_else(|| self.home.join(fallback))
    }

    /// A path with its `~` resolved.
    pub(super) fn below_home(&self, path: &Path) -> PathBuf {
        path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| self.home.join(rest))
    }

    /// The first of these variables that holds a token, and where that was.
    pub(super) fn first(&self, names: &[&str]) -> Option<(SecretValue, String)> {
        names.iter().find_map(|name| Some((self.token(name)?, variable(name))))
    }

    /// A file's bytes; none if it does not exist.
    ///
    /// # Errors
    ///
    /// When it is there and can't be read, or is not a file.
    pub(super) fn read(path: PathBuf) -> Result<Option<File>, ProviderError> {
        let found = open(&path).and_then(|file| {
            let metadata = file.metadata()?;
            let room = usize::try_from(metadata.len().min(LONGEST)).unwrap_or(0) + 1;
            let mut bytes = Vec::with_capacity(room);
            if file.take(LONGEST + 1).read_to_end(&mut bytes)? as u64 > LONGEST {
                return Err(io::Error::other("it is longer than 4 MiB"));
            }
            Ok((SecretValue::new(bytes), metadata))
        });
        let (value, metadata) = match found {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => {
                return Err(ProviderError {
                    cause: format!("cannot read `{}`: {error}", path.display()),
                    hint: format!("look at it with {}", typed(["ls", "-ld", &path.display().to_string()])),
                });
            }
        };
        let shown = path.display();
        let warning = (metadata.mode() & 0o077 != 0).then(|| {
            format!("others can read `{shown}`: run {}", typed(["chmod", "600", &shown.to_string()]))
        });
        Ok(Some(File { path, value, warning }))
    }
}

impl File {
    /// What messages call it.
    pub(super) fn place(&self) -> String {
        format!("`{}`", self.path.display())
    }

    /// A token that is all there is in it; none if it is blank.
    pub(super) fn token(&self) -> Option<SecretValue> {
        let bytes = self.value.plain().trim_ascii();
        (!bytes.is_empty()).then(|| SecretValue::new(bytes.to_vec()))
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub(super) fn text(&self) -> Result<&str, ProviderError> {
        std::str::from_utf8(self.value.plain()).map_err(|_| self.broken("it is not text"))
    }

    /// All of it as one type; `what` is what it should be, for people.
    ///
    /// # Errors
    ///
    /// When it is not that.
    pub(super) fn parse<T: DeserializeOwned>(&self, format: Format, what: &str) -> Result<T, ProviderError> {
        format::parse(format, self.value.plain()).ok_or_else(|| self.broken(&format!("it is not {what}")))
    }

    /// A member that is not blank, by a JSON pointer.
    ///
    /// # Errors
    ///
    /// As [`File::parse`].
    pub(super) fn member(
        &self,
        format: Format,
        pointer: &str,
        what: &str,
    ) -> Result<Option<SecretValue>, ProviderError> {
        let found = format::member(format, &self.value, pointer);
        let found = found.map_err(|_| self.broken(&format!("it is not {what}")))?;
        Ok(found.filter(|value| !value.plain().trim_ascii().is_empty()))
    }

    /// A member of the JSON in it.
    ///
    /// # Errors
    ///
    /// When it is not JSON.
    pub(super) fn json(&self, pointer: &str) -> Result<Option<SecretValue>, ProviderError> {
        self.member(Format::Json, pointer, "JSON")
    }

    /// The sections of the INI in it.
    ///
    /// # Errors
    ///
    /// When it is not INI.
    pub(super) fn ini(&self) -> Result<Ini, ProviderError> {
        Ini::parse(self.text()?).map_err(|fault| self.broken(&format!("line {} is not INI", fault.0)))
    }

    /// The same as text, for what is not a secret.
    ///
    /// # Errors
    ///
    /// When it is not JSON.
    pub(super) fn json_text(&self, pointer: &str) -> Result<Option<String>, ProviderError> {
        Ok(self.json(pointer)?.and_then(|value| String::from_utf8(value.plain().to_vec()).ok()))
    }

    /// The error of a file that is not what it should be.
    pub(super) fn broken(&self, cause: &str) -> ProviderError {
        let shown = self.path.display();
        ProviderError {
            cause: format!("cannot parse `{shown}`: {cause}"),
            hint: format!("fix `{shown}`, or move it away"),
        }
    }
}

/// What messages call a variable.
pub(super) fn variable(name: &str) -> String {
    format!("variable `{name}`")
}
