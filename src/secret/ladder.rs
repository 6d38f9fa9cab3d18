//! The ladder: where a plain name is looked up, rung by rung.
//!
//! The first hit wins. Only *missing* (and a source that this machine does not have at all) falls
//! through; a rung that could not be asked stops the search, unless [`OnError::Next`] says to go
//! on. Even then a search that finds nothing says which rung could not be asked, and no default
//! stands in.

mod template;
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
use crate::secret::source::KINDS;
use crate::secret::source::KeyOptions;
use crate::secret::source::Keyring;
use crate::secret::source::Local;
use crate::secret::source::Options;
use crate::secret::source::Remote;
use crate::secret::source::Setup;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::source::TIMEOUT;
use crate::secret::source::UnknownSource;
use crate::secret::source::kind;
use crate::secret::well_known;

pub use template::DefaultSource;
pub use template::InvalidTemplate;
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
    /// `[sources.SCHEME]` of the settings, by scheme.
    pub sources: BTreeMap<String, Options>,
    /// The user's home.
    pub home: PathBuf,
    /// Rung 7: `default_source` of the settings.
    pub default_source: Option<DefaultSource>,
    /// Rung 8: the credentials that the providers' own tools keep on this machine, where the
    /// settings say `discover = true`.
    pub discovery: Option<Arc<dyn Source>>,
    /// What a rung that could not be asked does.
    pub on_error: OnError,
}

/// The rungs, in order.
#[derive(Debug, Default)]
pub struct Ladder {
    /// Rungs 1 and 2.
    bound: Vec<BTreeMap<SecretName, Bound>>,
    /// The rungs after them, in order.
    rungs: Vec<Rung>,
    /// All sources, for references that name one.
    sources: Vec<Arc<dyn Source>>,
    on_error: OnError,
}

/// One rung after the bindings.
#[derive(Debug)]
struct Rung {
    number: u8,
    place: Place,
}

/// Who is asked on a rung.
#[derive(Debug)]
enum Place {
    /// This source, under the paths that it has for a name.
    Source(Arc<dyn Source>),
    /// This source, under the path that the settings make of a name.
    Default(Arc<dyn Source>, DefaultSource),
    /// Nobody: the settings leave it out.
    Off { place: String, cause: &'static str },
}

impl Rung {
    fn of(number: u8, source: &Arc<dyn Source>) -> Self {
        Self { number, place: Place::Source(Arc::clone(source)) }
    }

    /// Where a name is looked for: the source, the path, and the property that comes first.
    fn places(&self, name: &SecretName) -> Vec<(&dyn Source, String, Option<String>)> {
        match &self.place {
            Place::Source(source) => {
                source.candidates(name).into_iter().map(|path| (source.as_ref(), path, None)).collect()
            }
            Place::Default(source, template) => {
                let (path, property) = template.of(name);
                vec![(source.as_ref(), path, property)]
            }
            Place::Off { .. } => Vec::new(),
        }
    }
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
    /// The ladder of all rungs.
    pub fn new(options: LadderOptions) -> Self {
        let (dotenv, dotenv_is_rung) = options.dotenv;
        let (vault, keys) = options.vault;
        let env: Arc<dyn Source> = Arc::new(Env::new(options.environment.clone()));
        let dotenv: Arc<dyn Source> = Arc::new(Dotenv::new(dotenv));
        let keyring: Arc<dyn Source> = Arc::new(Keyring::new(Arc::clone(&keys.keychain)));
        let file: Arc<dyn Source> = Arc::new(FileVault::new(vault, keys));
        let command: Arc<dyn Source> = Arc::new(CommandSource::new(options.commands));
        let local = Local::new([&env, &keyring, &file, &command].map(Arc::clone));
        let mut rungs = vec![Rung::of(3, &env), Rung::of(4, &dotenv)];
        if !dotenv_is_rung {
            let cause = "the settings do not say `dotenv = true`";
            rungs[1].place = Place::Off { place: dotenv.place(), cause };
        }
        rungs.extend([Rung::of(5, &keyring), Rung::of(6, &file)]);
        let mut sources = vec![env, dotenv, keyring, file, command];
        let mut tables = options.sources;
        for kind in KINDS {
            let Some(remote) = &kind.remote else { continue };
            let table = tables.remove(kind.scheme).unwrap_or_default();
            let deadline = table.seconds(TIMEOUT.name);
            let source = (remote.open)(Setup {
                environment: options.environment.clone(),
                home: options.home.clone(),
                options: table,
                local: local.clone(),
            });
            sources.push(Arc::new(Remote::new(source, deadline)));
        }
        let default = options.default_source.and_then(|template| {
            let source = sources.iter().find(|source| source.kind().scheme == template.scheme())?;
            Some(Place::Default(Arc::clone(source), template))
        });
        rungs.push(Rung {
            number: 7,
            place: default.unwrap_or_else(|| Place::Off {
                place: "`default_source`".to_owned(),
                cause: "the settings name none",
            }),
        });
        rungs.push(match &options.discovery {
            Some(source) => Rung::of(8, source),
            None => Rung {
                number: 8,
                place: Place::Off {
                    place: "the providers' own credentials".to_owned(),
                    cause: "the settings do not say `discover = true`",
                },
            },
        });
        Self { bound: vec![options.flags, options.bindings], rungs, sources, on_error: options.on_error }
    }

    /// A ladder of the environment alone: for programs that use the library, and for tests.
    pub fn of_environment(environment: Environment) -> Self {
        let env: Arc<dyn Source> = Arc::new(Env::new(environment));
        Self { rungs: vec![Rung::of(3, &env)], sources: vec![env], ..Self::default() }
    }

    /// The source of this scheme.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn source(&self, scheme: &str) -> Result<&dyn Source, UnknownSource> {
        kind(scheme)?;
        let source = self.sources.iter().find(|source| source.kind().scheme == scheme);
        source.map(AsRef::as_ref).ok_or_else(|| UnknownSource::Elsewhere { scheme: scheme.to_owned() })
    }

    /// All sources, those of this machine first, in the order of the rungs.
    pub fn sources(&self) -> impl Iterator<Item = &dyn Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// The sources of this machine that can be written to, in the order of the rungs.
    pub fn writable(&self) -> impl Iterator<Item = &dyn Source> {
        self.sources().filter(|source| source.kind().writes && source.kind().remote.is_none())
    }

    /// Whether the command line or the settings say where a name is to be looked up.
    pub(in crate::secret) fn binds(&self, name: &SecretName) -> bool {
        self.bound.iter().any(|bound| bound.contains_key(name))
    }

    /// Gives back what sources have lent for this run; each failure with the source's name.
    pub(super) async fn close(&self) -> Vec<(String, SourceError)> {
        let closed = self.sources.iter().map(|source| async {
            let error = source.close().await.err()?;
            Some((source.place(), error))
        });
        futures_util::future::join_all(closed).await.into_iter().flatten().collect()
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
        for rung in &self.rungs {
            for (source, path, first) in rung.places(name) {
                if question.version.is_some() && !source.kind().versions {
                    continue;
                }
                let properties: Vec<&str> =
                    first.as_deref().into_iter().chain(question.properties.iter().copied()).collect();
                match ask(source, &path, Question { properties: &properties, ..question }).await {
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
    if !question.read && source.acts(path).await? {
        let facts = source.locate(path, question.version).await?;
        return Ok(Found { value: None, facts, is_default: false });
    }
    let (mut value, facts) = source.get(path, question.version).await?;
    for name in question.properties {
        let found = property::select_in(&value, name, path).map_err(|cause| SourceError::Unfit { cause })?;
        value = found.ok_or(SourceError::Missing)?;
    }
    Ok(Found { value: question.read.then_some(value), facts, is_default: false })
}

#[cfg(test)]
mod tests;
