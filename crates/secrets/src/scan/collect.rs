//! The values to look for: all that is kept on this machine, and what else is asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use doppio_text::name::SecretName;

use crate::Ladder;
use crate::Origin;
use crate::SecretError;
use crate::SecretRef;
use crate::SecretSession;
use crate::SecretValue;
use crate::format::dotenv_variables;
use crate::mask::Mask;
use crate::naming;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::dotenv_text;
use crate::vendor;

/// Where to look for values.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Sources whose every item is taken, by scheme.
    pub sources: Vec<String>,
    /// Names besides the well-known ones, to look for in the environment.
    pub names: Vec<SecretName>,
    /// References that the settings bind names to.
    pub bound: Vec<(SecretName, SecretRef)>,
    /// A `.env` whose secrets are taken.
    pub dotenv: Option<PathBuf>,
    /// Only this name.
    pub only: Option<SecretName>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Collected {
    /// Values by name; older versions as `NAME@VERSION`.
    pub values: Vec<(String, SecretValue)>,
    /// Places that could not be asked.
    pub failed: Vec<(String, SourceError)>,
}

/// Reads values from sources. What this machine does not have at all is not a failure.
pub async fn collect(ladder: Ladder, wanted: &Wanted) -> Collected {
    let mut collector = Collector { wanted, collected: Collected::default(), names: BTreeSet::new() };
    collector.names.extend(wanted.names.iter().cloned());
    collector.names.extend(vendor::well_known().filter_map(|known| known.name.parse().ok()));
    for scheme in &wanted.sources {
        match ladder.source(scheme) {
            Ok(source) => collector.source(source).await,
            Err(error) => {
                let fault = SourceError::Unfit { cause: error.to_string() };
                collector.collected.failed.push((scheme.clone(), fault));
            }
        }
    }
    if let Ok(env) = ladder.source("env") {
        collector.environment(env).await;
    }
    if let Some(path) = &wanted.dotenv {
        collector.dotenv(path);
    }
    collector.bound(ladder).await;
    collector.collected
}

struct Collector<'a> {
    wanted: &'a Wanted,
    collected: Collected,
    names: BTreeSet<SecretName>,
}

impl Collector<'_> {
    /// With the one name that is wanted go those under which a rotation keeps its old value and
    /// its new one, where the source has no versions.
    fn is_wanted(&self, name: &str) -> bool {
        self.wanted.only.as_ref().is_none_or(|only| {
            let rest = name.strip_prefix(only.as_str());
            rest.is_some_and(|rest| matches!(rest, "" | ".previous" | ".pending"))
        })
    }

    /// Of values that are the same the first is kept.
    fn add(&mut self, name: String, value: SecretValue) {
        if self.collected.values.iter().all(|(_, known)| known.plain() != value.plain()) {
            self.collected.values.push((name, value));
        }
    }

    fn fail(&mut self, place: String, error: SourceError) {
        if !matches!(error, SourceError::Missing | SourceError::Absent { .. }) {
            self.collected.failed.push((place, error));
        }
    }

    async fn source(&mut self, source: &dyn Source) {
        let items = match source.list().await {
            Ok(items) => items,
            Err(error) => return self.fail(source.place(), error),
        };
        if let Some(error) = source.unlisted() {
            self.fail(format!("all of {}", source.place()), error);
        }
        for (path, _) in items {
            if !self.is_wanted(&path) {
                continue;
            }
            self.names.extend(path.parse::<SecretName>());
            match source.get(&path, None).await {
                Ok((value, _)) => self.add(path.clone(), value),
                Err(error) => self.fail(format!("`{path}` in {}", source.place()), error),
            }
            // What was replaced may have been published before.
            if source.kind().versions {
                self.older(source, &path).await;
            }
        }
    }

    /// What was replaced may have been published before.
    async fn older(&mut self, source: &dyn Source, path: &str) {
        let versions = match source.versions(path).await {
            Ok(versions) => versions,
            Err(error) => return self.fail(format!("older values of `{path}` in {}", source.place()), error),
        };
        for version in versions.iter().filter(|version| version.readable && !version.current) {
            let name = format!("{path}@{}", version.id);
            match source.get(path, Some(&version.id)).await {
                Ok((value, _)) => self.add(name, value),
                Err(error) => self.fail(format!("`{name}` in {}", source.place()), error),
            }
        }
    }

    async fn environment(&mut self, env: &dyn Source) {
        for name in std::mem::take(&mut self.names) {
            if !self.is_wanted(name.as_str()) {
                continue;
            }
            for variable in env.candidates(&name) {
                match env.get(&variable, None).await {
                    Ok((value, _)) => self.add(name.to_string(), value),
                    Err(error) => self.fail(format!("`{variable}` in {}", env.place()), error),
                }
            }
        }
    }

    fn dotenv(&mut self, path: &std::path::Path) {
        let text = match dotenv_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.fail_dotenv(path, error.to_string()),
        };
        match dotenv_variables(&text) {
            Ok(variables) => {
                for (name, value) in variables {
                    let is_secret = naming::is_secret(&name, &value) || Mask::looks_random(&value);
                    if is_secret && self.names_of(&name) {
                        self.add(format!("dotenv:{name}"), value);
                    }
                }
            }
            Err(cause) => self.fail_dotenv(path, cause),
        }
    }

    /// Whether a variable may hold the one secret that is wanted.
    fn names_of(&self, variable: &str) -> bool {
        self.wanted
            .only
            .as_ref()
            .is_none_or(|only| crate::source::variables(only).iter().any(|name| name == variable))
    }

    fn fail_dotenv(&mut self, path: &std::path::Path, cause: String) {
        let hint = "fix the file, or write `dotenv = false` in doppio.toml".to_owned();
        self.fail(format!("`{}`", path.display()), SourceError::Unreachable { cause, hint });
    }

    /// What names are bound to, if that is in one of the sources that are asked anyway.
    async fn bound(&mut self, ladder: Ladder) {
        let session = SecretSession::new(ladder, Mask::default());
        for (name, reference) in &self.wanted.bound {
            let is_asked = match &reference.origin {
                Origin::Source { scheme, .. } => self.wanted.sources.contains(scheme) || scheme == "env",
                Origin::Name(_) => true,
            };
            if !is_asked || !self.is_wanted(name.as_str()) {
                continue;
            }
            match session.fetch(reference).await {
                Ok(_) if session.stands_in(reference) => {}
                Ok(value) => self.add(name.to_string(), value),
                Err(error) => self.fail(format!("`{name}`, which the settings bind"), of_lookup(error)),
            }
        }
    }
}

/// What a lookup failed of, as a source would say it.
fn of_lookup(error: SecretError) -> SourceError {
    let cause = error.to_string();
    match error {
        SecretError::Missing { .. } => SourceError::Missing,
        SecretError::NotAllowed { hint, .. } => SourceError::NotAllowed { cause, hint },
        SecretError::Unreachable { hint, .. } => SourceError::Unreachable { cause, hint },
        SecretError::Unfit { .. } => SourceError::Unfit { cause },
    }
}
