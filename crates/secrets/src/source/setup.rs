//! What a remote source is made from: its settings, the environment, and the sources of this machine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Environment;
use crate::Origin;
use crate::SecretRef;
use crate::SecretValue;
use crate::format;
use crate::source::Key;
use crate::source::Kind;
use crate::source::Logins;
use crate::source::Source;
use crate::source::SourceError;

/// A setting of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Of a text, a path or a choice.
    Text(String),
    /// Of a truth.
    Truth(bool),
    /// Of seconds.
    Seconds(u64),
    /// Of a reference.
    Reference(SecretRef),
}

/// What `[sources.SCHEME]` says. No value of a secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options(BTreeMap<String, Setting>);

impl Options {
    /// Puts a setting in.
    pub fn insert(&mut self, key: &Key, setting: Setting) {
        self.0.insert(key.name.to_owned(), setting);
    }

    /// A text, a path or a choice.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            Setting::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A truth.
    pub fn truth(&self, key: &str) -> Option<bool> {
        match self.0.get(key)? {
            Setting::Truth(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A number of seconds.
    pub fn seconds(&self, key: &str) -> Option<Duration> {
        match self.0.get(key)? {
            Setting::Seconds(seconds) => Some(Duration::from_secs(*seconds)),
            _ => None,
        }
    }

    /// A reference.
    pub fn reference(&self, key: &str) -> Option<&SecretRef> {
        match self.0.get(key)? {
            Setting::Reference(reference) => Some(reference),
            _ => None,
        }
    }
}

/// What a remote source is made from.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The process environment.
    pub environment: Environment,
    /// The user's home.
    pub home: PathBuf,
    /// Its table of the settings.
    pub options: Options,
    /// The sources of this machine, for the references in the settings.
    pub local: Local,
    /// Where it says what it logs in with.
    pub logins: Logins,
}

impl Setup {
    /// A text of the settings, else the first of these variables that is set.
    pub fn text(&self, key: &str, variables: &[&str]) -> Option<String> {
        let of_settings = self.options.text(key).map(str::to_owned);
        of_settings
            .or_else(|| variables.iter().find_map(|name| self.environment.text(name)).map(str::to_owned))
    }

    /// The same for a path; a `~` at its beginning is the home.
    pub fn path(&self, key: &str, variables: &[&str]) -> Option<PathBuf> {
        let of_settings = self.options.text(key).map(PathBuf::from);
        let path = of_settings.or_else(|| variables.iter().find_map(|name| self.environment.path(name)))?;
        Some(match path.strip_prefix("~") {
            Ok(rest) => self.home.join(rest),
            Err(_) => path,
        })
    }

    /// The value that a reference of the settings points to, else that of the first of these
    /// variables that is set.
    ///
    /// # Errors
    ///
    /// When there is a reference and its value is not available.
    pub async fn secret(&self, key: &str, variables: &[&str]) -> Result<Option<SecretValue>, SourceError> {
        let found = match self.options.reference(key) {
            Some(reference) => Some(self.local.fetch(key, reference).await?),
            None => variables.iter().find_map(|name| self.variable(name)),
        };
        if let Some(login) = &found {
            self.logins.learn(key, &login.without_last_newline());
        }
        Ok(found)
    }

    /// Learns what a program that the source starts logs in with by itself.
    pub(crate) fn learn_variables(&self, variables: &[&str]) {
        for name in variables {
            if let Some(login) = self.variable(name) {
                self.logins.learn(name, &login);
            }
        }
    }

    fn variable(&self, name: &str) -> Option<SecretValue> {
        self.environment.text(name).map(|text| SecretValue::new(text.as_bytes().to_vec()))
    }
}

/// The sources of this machine.
#[derive(Clone, Default)]
pub struct Local(Arc<[Arc<dyn Source>]>);

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|source| source.kind().scheme)).finish()
    }
}

impl Local {
    /// These sources.
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn Source>>) -> Self {
        Self(sources.into_iter().collect())
    }

    /// The value of a reference that the setting `key` holds.
    async fn fetch(&self, key: &str, reference: &SecretRef) -> Result<SecretValue, SourceError> {
        let label = reference.label();
        let Origin::Source { scheme, path } = &reference.origin else {
            return Err(SourceError::unfit(format!(
                "the setting `{key}` must name its source, as in `env:NAME`"
            )));
        };
        let Some(source) = self.0.iter().find(|source| source.kind().scheme == scheme) else {
            return Err(SourceError::unfit(format!("the setting `{key}` can't use the source `{scheme}`")));
        };
        let failed = |error: SourceError| {
            let hint = error.hint().map_or_else(|| source.remedy(path), str::to_owned);
            SourceError::unreachable(format!("the setting `{key} = \"{label}\"`: {error}"), hint)
        };
        let (value, _) = source.get(path, reference.version.as_deref()).await.map_err(failed)?;
        match &reference.property {
            None => Ok(value),
            Some(name) => format::select_in(&value, name, path)
                .map_err(SourceError::unfit)
                .and_then(|found| found.ok_or(SourceError::Missing))
                .map_err(failed),
        }
    }
}

/// A source that is made from its table in the settings.
#[derive(Debug)]
pub struct RemoteSource {
    /// What is known of it.
    pub kind: &'static Kind,
    /// Makes it. Nothing is asked yet: that happens with the first question.
    pub open: fn(Setup) -> Arc<dyn Source>,
}
