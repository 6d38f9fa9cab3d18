//! The ladder: where a plain name is looked up, rung by rung.
//!
//! The first hit wins. Only *missing* falls through, and on the rungs after the bindings a source
//! that this machine does not have at all; a rung that could not be asked stops the search, unless
//! [`OnError::Next`] says to go on. Even then a search that finds nothing says which rung could not
//! be asked, and no default is used. A source that somebody named was meant: one that this machine
//! does not have could not be asked.

mod ask;
mod at_hand;
mod build;
mod rungs;
mod template;
pub(crate) mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use doppio_text::name::SecretName;

use self::ask::Question;
use self::ask::ask;
use self::ask::stand_in;
use self::rungs::Rung;
use self::rungs::RungPlace;
use self::rungs::RungSource;
use crate::Origin;
use crate::SecretError;
use crate::SecretRef;
use crate::source::Logins;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::SourceKinds;
use crate::source::UnknownSource;
use crate::vendor;

pub(crate) use self::ask::Found;
pub use self::rungs::Bound;
pub use self::rungs::LadderOptions;
pub use self::rungs::OnError;
pub use template::DefaultSource;
pub use template::InvalidTemplate;

/// Why a name has no path in a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPath {
    /// Nothing says where it would be looked up.
    #[error("no setting says where `{scheme}` keeps names")]
    Unknown {
        /// The source.
        scheme: &'static str,
    },
    /// It would be a property of an item, and those can't be written one by one.
    #[error(
        "`default_source` makes it the property `{property}` of `{scheme}:{path}`, which is written as a whole"
    )]
    Property {
        /// The source.
        scheme: &'static str,
        /// The item.
        path: String,
        /// The property.
        property: String,
    },
}

impl NoPath {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { scheme } => {
                format!(
                    "write `default_source = \"{scheme}:MOUNT/{{name}}\"` to config.toml, with your mount"
                )
            }
            Self::Property { scheme, .. } => format!("write it with the tools of `{scheme}`"),
        }
    }
}

/// The rungs, in order.
#[derive(Debug, Default)]
pub struct Ladder {
    kinds: SourceKinds,
    /// Rungs 1 and 2.
    bound: Vec<BTreeMap<SecretName, Bound>>,
    /// The rungs after them, in order.
    rungs: Vec<Rung>,
    /// All sources, for references that name one.
    sources: Vec<Arc<dyn Source>>,
    on_error: OnError,
    /// What the sources log in with.
    logins: Logins,
}

impl Ladder {
    /// The source of this scheme.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn source(&self, scheme: &str) -> Result<&dyn Source, UnknownSource> {
        self.kinds.find(scheme)?;
        let source = self.sources.iter().find(|source| source.kind().scheme == scheme);
        source.map(AsRef::as_ref).ok_or_else(|| UnknownSource::Elsewhere { scheme: scheme.to_owned() })
    }

    /// What the sources log in with.
    pub(crate) fn logins(&self) -> &Logins {
        &self.logins
    }

    /// All sources, those of this machine first, in the order of the rungs.
    pub fn sources(&self) -> impl Iterator<Item = &dyn Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// The sources of this machine that can be written to, in the order of the rungs.
    pub fn writable(&self) -> impl Iterator<Item = &dyn Source> {
        self.sources().filter(|source| source.kind().writes && source.kind().remote.is_none())
    }

    /// What the command line or the settings bind a name to. Where that has no value, the name is
    /// looked up all the same.
    pub fn binding(&self, name: &SecretName) -> Option<&Bound> {
        self.bindings(name).next()
    }

    /// All that a name is bound to, in the order in which it is asked.
    pub(crate) fn bindings(&self, name: &SecretName) -> impl Iterator<Item = &Bound> {
        self.bound.iter().filter_map(|bound| bound.get(name))
    }

    /// The sources that may give leases, to be closed by somebody who outlives this.
    pub fn lenders(&self) -> Vec<Arc<dyn Source>> {
        self.sources.iter().filter(|source| source.kind().remote.is_some()).map(Arc::clone).collect()
    }

    /// Where a name is written to in a source, so that a lookup finds it there: the place that the
    /// settings' `default_source` makes of it, else the source's own.
    ///
    /// # Errors
    ///
    /// When nothing says where that is.
    pub fn path_of(&self, name: &SecretName, source: &dyn Source) -> Result<String, NoPath> {
        let scheme = source.kind().scheme;
        let template = self.rungs.iter().find_map(|rung| match &rung.source {
            RungSource::Default(at, template) if at.kind().scheme == scheme => {
                Some(template.of(name, source))
            }
            _ => None,
        });
        match template {
            Some((path, None)) => Ok(path),
            Some((path, Some(property))) => {
                source.member_to_write(&path, &property).ok_or(NoPath::Property { scheme, path, property })
            }
            None => source.candidates(name).into_iter().next().ok_or(NoPath::Unknown { scheme }),
        }
    }

    /// The name that leads to a path of a source, as [`path_of`](Self::path_of) makes it; a path that is a
    /// name by itself, else.
    pub fn name_of(&self, path: &str, source: &dyn Source) -> Option<SecretName> {
        let scheme = source.kind().scheme;
        let template = self.rungs.iter().find_map(|rung| match &rung.source {
            RungSource::Default(at, template) if at.kind().scheme == scheme => template.name_of(path),
            _ => None,
        });
        let leads_there = |name: &SecretName| self.path_of(name, source).is_ok_and(|found| found == path);
        template.filter(leads_there).or_else(|| path.parse().ok())
    }

    /// The value of a reference, or its default.
    pub(super) async fn find(&self, reference: &SecretRef, read: bool) -> Result<Found, SecretError> {
        match self.search(reference, read).await {
            Ok(found) => Ok(found),
            Err((_, SourceError::Missing)) if reference.default.is_some() => Ok(stand_in(reference)),
            Err((place, error)) => Err(self.explain(reference, place, error).await),
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
        for bound in self.bindings(name) {
            match self.follow(bound, question).await {
                Ok(found) => return Ok(found),
                Err((_, SourceError::Missing)) => {}
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
            for place in rung.places_of(name, question.version) {
                let RungPlace { source, path, property: first, version } = place;
                let properties: Vec<&str> =
                    first.as_deref().into_iter().chain(question.properties.iter().copied()).collect();
                match ask(source, &path, Question { properties: &properties, version, ..question }).await {
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
                Err((_, SourceError::Missing)) if reference.default.is_some() => Ok(stand_in(reference)),
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

    /// What to do about a reference that is missing. Of a record that is there and lacks what was
    /// asked for, it is nothing that would replace the record.
    pub async fn remedy(&self, reference: &SecretRef) -> String {
        let bare = match (&reference.property, &reference.origin) {
            (Some(_), _) => SecretRef { property: None, ..reference.clone() },
            (None, Origin::Source { .. }) => SecretRef { version: None, ..reference.clone() },
            (None, Origin::Name(_)) => reference.clone(),
        };
        if bare == *reference {
            return self.remedy_of_all(reference);
        }
        let place = match self.search(&bare, false).await {
            Ok(found) => found.metadata.place,
            Err((_, SourceError::Missing | SourceError::Absent { .. })) => {
                return self.remedy_of_all(reference);
            }
            Err(_) => format!("`{}`", bare.label()),
        };
        let Some(property) = &reference.property else {
            let version = reference.version.as_deref().unwrap_or_default();
            return format!("{place} exists, but has no version `{version}`");
        };
        let how = match &reference.origin {
            Origin::Source { scheme, path } => {
                self.source(scheme).ok().and_then(|source| source.remedy_of_member(path, property))
            }
            Origin::Name(_) => None,
        };
        let how = how.unwrap_or_else(|| "add it to the value that is stored there".to_owned());
        format!("{place} exists, but has no `{property}`: {how}")
    }

    /// The same where nothing is there.
    fn remedy_of_all(&self, reference: &SecretRef) -> String {
        match &reference.origin {
            Origin::Name(name) if reference.version.is_some() => {
                format!("run `doppio secret history {name}` to list its versions")
            }
            Origin::Name(name) => match (vendor::known(name), vendor::near(name)) {
                (Some(known), _) => format!("run `doppio secret set {name}`; get one at {}", known.get),
                (None, Some(near)) => format!("did you mean `{near}`? else run `doppio secret set {name}`"),
                (None, None) => format!("run `doppio secret set {name}`"),
            },
            Origin::Source { scheme, path } => {
                self.source(scheme).map_or_else(|error| error.to_string(), |source| source.remedy(path))
            }
        }
    }

    /// A source's error in the words of who needs the secret.
    async fn explain(&self, reference: &SecretRef, place: String, error: SourceError) -> SecretError {
        let label = reference.label();
        match error {
            SourceError::Missing => SecretError::not_set(label, self.remedy(reference).await),
            SourceError::Absent { cause } => SecretError::Unreachable {
                reference: label,
                source_name: place,
                cause,
                hint: match &reference.origin {
                    Origin::Source { scheme, path } => self
                        .source(scheme)
                        .map_or_else(|error| error.to_string(), |source| source.remedy_of_absence(path)),
                    Origin::Name(_) => self.remedy_of_all(reference),
                },
            },
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

#[cfg(test)]
mod tests;
