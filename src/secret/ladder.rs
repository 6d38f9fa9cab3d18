//! The ladder: where a plain name is looked up, rung by rung.
//!
//! The first hit wins. Only *missing* (and a source that this machine does not have at all) falls
//! through; a rung that could not be asked stops the search, unless [`OnError::Next`] says to go
//! on. Even then a search that finds nothing says which rung could not be asked, and no default
//! stands in.

mod trail;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::name::SecretName;
use crate::secret::Environment;
use crate::secret::Origin;
use crate::secret::SecretError;
use crate::secret::SecretRef;
use crate::secret::SecretValue;
use crate::secret::property;
use crate::secret::source::Command;
use crate::secret::source::CommandSource;
use crate::secret::source::Dotenv;
use crate::secret::source::Env;
use crate::secret::source::Facts;
use crate::secret::source::FileVault;
use crate::secret::source::KeyOptions;
use crate::secret::source::Keyring;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::source::UnknownSource;
use crate::secret::source::kind;
use crate::secret::well_known;

pub use trail::Asked;
pub use trail::Outcome;
pub use trail::Trail;

/// What a rung that could not be asked does to the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It ends it.
    #[default]
    Stop,
    /// The next rung is asked.
    Next,
}

/// A name that the settings or the command line bind to a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Where to look instead.
    pub reference: SecretRef,
    /// Who says so, as in "`--secret`" or "`[secrets]` of `doppio.toml`".
    pub by: String,
}

/// What a ladder is made of.
#[derive(Debug)]
pub struct LadderOptions {
    /// Rung 1: `--secret NAME=REF`.
    pub flags: BTreeMap<SecretName, Bound>,
    /// Rung 2: `[secrets]` of the settings.
    pub bindings: BTreeMap<SecretName, Bound>,
    /// Rung 3.
    pub environment: Environment,
    /// Rung 4: the file beside the recipe, and whether names are looked up in it.
    pub dotenv: (PathBuf, bool),
    /// Rung 6: the vault's file, and what opens it. Its keychain is rung 5.
    pub vault: (PathBuf, KeyOptions),
    /// The programs of the settings.
    pub commands: BTreeMap<String, Command>,
    /// What a rung that could not be asked does.
    pub on_error: OnError,
}

/// The rungs, in order.
#[derive(Debug, Default)]
pub struct Ladder {
    /// Rungs 1 and 2.
    bound: Vec<BTreeMap<SecretName, Bound>>,
    /// The rungs after them, with their numbers.
    rungs: Vec<(u8, Arc<dyn Source>)>,
    /// All sources, for references that name one.
    sources: Vec<Arc<dyn Source>>,
    on_error: OnError,
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// None where only the place was asked for.
    pub value: Option<SecretValue>,
    /// Where it was, and what is known of it.
    pub facts: Facts,
    /// It is the default of a reference, which is no secret.
    pub is_default: bool,
}

/// What is asked of a source.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    properties: &'a [&'a str],
    version: Option<&'a str>,
    /// Whether the value is wanted, or only its place.
    read: bool,
}

impl Ladder {
    /// The ladder of rungs 1 to 6.
    pub fn new(options: LadderOptions) -> Self {
        let (dotenv, dotenv_is_rung) = options.dotenv;
        let (vault, keys) = options.vault;
        let env: Arc<dyn Source> = Arc::new(Env::new(options.environment));
        let dotenv: Arc<dyn Source> = Arc::new(Dotenv::new(dotenv));
        let keyring: Arc<dyn Source> = Arc::new(Keyring::new(Arc::clone(&keys.keychain)));
        let file: Arc<dyn Source> = Arc::new(FileVault::new(vault, keys));
        let command: Arc<dyn Source> = Arc::new(CommandSource::new(options.commands));
        let mut rungs = vec![(3, Arc::clone(&env))];
        if dotenv_is_rung {
            rungs.push((4, Arc::clone(&dotenv)));
        }
        rungs.extend([(5, Arc::clone(&keyring)), (6, Arc::clone(&file))]);
        Self {
            bound: vec![options.flags, options.bindings],
            rungs,
            sources: vec![env, dotenv, keyring, file, command],
            on_error: options.on_error,
        }
    }

    /// A ladder of the environment alone: for programs that use the library, and for tests.
    pub fn of_environment(environment: Environment) -> Self {
        let env: Arc<dyn Source> = Arc::new(Env::new(environment));
        Self { rungs: vec![(3, Arc::clone(&env))], sources: vec![env], ..Self::default() }
    }

    /// The source of this scheme.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn source(&self, scheme: &str) -> Result<&dyn Source, UnknownSource> {
        kind(scheme)?;
        let source = self.sources.iter().find(|source| source.kind().scheme == scheme);
        source.map(AsRef::as_ref).ok_or_else(|| UnknownSource::NotBuilt { scheme: scheme.to_owned() })
    }

    /// The sources that can be written to, in the order of the rungs.
    pub fn writable(&self) -> impl Iterator<Item = &dyn Source> {
        self.sources.iter().map(AsRef::as_ref).filter(|source| source.kind().writes)
    }

    /// The value of a reference, or what stands in for it.
    pub(super) async fn find(&self, reference: &SecretRef, read: bool) -> Result<Found, SecretError> {
        match self.search(reference, read).await {
            Ok(found) => Ok(found),
            Err((_, SourceError::Missing | SourceError::Absent { .. })) if reference.default.is_some() => {
                Ok(stand_in(reference))
            }
            Err((place, error)) => Err(self.explain(reference, place, error)),
        }
    }

    /// The same; a failure comes with the name of the source that failed.
    async fn search(&self, reference: &SecretRef, read: bool) -> Result<Found, (String, SourceError)> {
        let properties: Vec<&str> = reference.property.iter().map(String::as_str).collect();
        let question = Question { properties: &properties, version: reference.version.as_deref(), read };
        match &reference.origin {
            Origin::Source { scheme, path } => {
                let source = self
                    .source(scheme)
                    .map_err(|error| (scheme.clone(), SourceError::Unfit { cause: error.to_string() }))?;
                ask(source, path, question).await.map_err(|error| (source.place(), error))
            }
            Origin::Name(name) => self.by_name(name, question).await,
        }
    }

    async fn by_name(
        &self,
        name: &SecretName,
        question: Question<'_>,
    ) -> Result<Found, (String, SourceError)> {
        let mut failed = None;
        for bound in self.bound.iter().filter_map(|bound| bound.get(name)) {
            match self.follow(bound, question).await {
                Ok(found) => return Ok(found),
                Err((_, SourceError::Missing | SourceError::Absent { .. })) => {}
                Err((place, error)) => self.go_on(&mut failed, place, error)?,
            }
        }
        self.on_rungs(name, question, failed).await
    }

    async fn on_rungs(
        &self,
        name: &SecretName,
        question: Question<'_>,
        mut failed: Option<(String, SourceError)>,
    ) -> Result<Found, (String, SourceError)> {
        for (_, source) in &self.rungs {
            if question.version.is_some() && !source.kind().versions {
                continue;
            }
            for path in source.candidates(name) {
                match ask(source.as_ref(), &path, question).await {
                    Ok(found) => return Ok(found),
                    Err(SourceError::Missing | SourceError::Absent { .. }) => {}
                    Err(error) => self.go_on(&mut failed, source.place(), error)?,
                }
            }
        }
        Err(failed.unwrap_or_else(|| ("the ladder".to_owned(), SourceError::Missing)))
    }

    /// Asks what a name is bound to. A name that is bound to a name is looked up on the rungs
    /// below, so that bindings can't go round in a circle.
    fn follow<'a>(
        &'a self,
        bound: &'a Bound,
        question: Question<'a>,
    ) -> BoxFuture<'a, Result<Found, (String, SourceError)>> {
        async move {
            let reference = &bound.reference;
            let properties: Vec<&str> = reference
                .property
                .iter()
                .map(String::as_str)
                .chain(question.properties.iter().copied())
                .collect();
            let version = question.version.or(reference.version.as_deref());
            let question = Question { properties: &properties, version, read: question.read };
            let found = match &reference.origin {
                Origin::Name(name) => self.on_rungs(name, question, None).await,
                Origin::Source { scheme, path } => match self.source(scheme) {
                    Ok(source) => ask(source, path, question).await.map_err(|error| (source.place(), error)),
                    Err(error) => Err((scheme.clone(), SourceError::Unfit { cause: error.to_string() })),
                },
            };
            match found {
                Err((_, SourceError::Missing | SourceError::Absent { .. }))
                    if reference.default.is_some() =>
                {
                    Ok(stand_in(reference))
                }
                other => other,
            }
        }
        .boxed()
    }

    /// Stops the search, or remembers the first failure and goes on.
    fn go_on(
        &self,
        failed: &mut Option<(String, SourceError)>,
        place: String,
        error: SourceError,
    ) -> Result<(), (String, SourceError)> {
        if self.on_error == OnError::Stop {
            return Err((place, error));
        }
        failed.get_or_insert((place, error));
        Ok(())
    }

    /// A source's error in the words of who needs the secret.
    fn explain(&self, reference: &SecretRef, place: String, error: SourceError) -> SecretError {
        let label = reference.label();
        let remedy = || match &reference.origin {
            Origin::Name(name) => match well_known::find(name) {
                Some(known) => format!("run `doppio secret set {name}`; get one at {}", known.get),
                None => format!("run `doppio secret set {name}`"),
            },
            Origin::Source { scheme, path } => {
                self.source(scheme).map_or_else(|error| error.to_string(), |source| source.remedy(path))
            }
        };
        match error {
            SourceError::Missing => SecretError::Missing { reference: label, hint: remedy() },
            SourceError::Absent { cause } => {
                SecretError::Unreachable { reference: label, source_name: place, cause, hint: remedy() }
            }
            SourceError::NotAllowed { cause, hint } => {
                SecretError::NotAllowed { reference: label, source_name: place, cause, hint }
            }
            SourceError::Unreachable { cause, hint } => {
                SecretError::Unreachable { reference: label, source_name: place, cause, hint }
            }
            SourceError::Unfit { cause } => SecretError::Unfit { reference: label, cause },
        }
    }
}

/// The default of a reference as a find.
fn stand_in(reference: &SecretRef) -> Found {
    let text = reference.default.clone().unwrap_or_default();
    Found {
        value: Some(SecretValue::new(text.into_bytes())),
        facts: Facts { place: format!("the default of `{}`", reference.label()), ..Facts::default() },
        is_default: true,
    }
}

/// Asks one source. A property can only be seen by reading the value.
async fn ask(source: &dyn Source, path: &str, question: Question<'_>) -> Result<Found, SourceError> {
    if let Some((first, others)) = question.properties.split_first()
        && let Some(member) = source.member(path, first)
    {
        let properties: Vec<&str> =
            member.rest.as_deref().into_iter().chain(others.iter().copied()).collect();
        return ask_for(source, &member.path, Question { properties: &properties, ..question }).await;
    }
    ask_for(source, path, question).await
}

async fn ask_for(source: &dyn Source, path: &str, question: Question<'_>) -> Result<Found, SourceError> {
    if question.properties.is_empty() && !question.read {
        let facts = source.locate(path, question.version).await?;
        return Ok(Found { value: None, facts, is_default: false });
    }
    if !question.read {
        let facts = source.locate(path, question.version).await?;
        if facts.unproven {
            return Ok(Found { value: None, facts, is_default: false });
        }
    }
    let (mut value, facts) = source.get(path, question.version).await?;
    for name in question.properties {
        let found = property::select(&value, name).map_err(|cause| SourceError::Unfit { cause })?;
        value = found.ok_or(SourceError::Missing)?;
    }
    Ok(Found { value: question.read.then_some(value), facts, is_default: false })
}

#[cfg(test)]
mod tests;
