//! What a ladder is made of: its rungs, and who is asked on each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use doppio_text::name::SecretName;

use crate::Environment;
use crate::SecretRef;
use crate::ladder::DefaultSource;
use crate::source::Command;
use crate::source::KeyOptions;
use crate::source::Options;
use crate::source::PREVIOUS;
use crate::source::Source;
use crate::source::SourceKinds;

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
    /// The sources of this program.
    pub kinds: SourceKinds,
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

/// One rung after the bindings.
#[derive(Debug)]
pub(super) struct Rung {
    pub(super) number: u8,
    pub(super) source: RungSource,
}

/// Where a version of a name is looked for.
pub(super) struct RungPlace<'r, 'a> {
    pub(super) source: &'r dyn Source,
    pub(super) path: String,
    /// The property that comes first.
    pub(super) property: Option<String>,
    pub(super) version: Option<&'a str>,
}

/// Who is asked on a rung.
#[derive(Debug)]
pub(super) enum RungSource {
    /// This source, under the paths that it has for a name.
    Source(Arc<dyn Source>),
    /// This source, under the path that the settings make of a name.
    Default(Arc<dyn Source>, DefaultSource),
    /// No source: the settings leave it out.
    Off { place: String, cause: &'static str },
}

impl Rung {
    pub(super) fn of(number: u8, source: &Arc<dyn Source>) -> Self {
        Self { number, source: RungSource::Source(Arc::clone(source)) }
    }

    /// Where a version of a name is looked for. Where there are no versions, the value before the last
    /// rotation is an item of its own; any other version is nowhere.
    pub(super) fn places_of<'a>(
        &self,
        name: &SecretName,
        version: Option<&'a str>,
    ) -> Vec<RungPlace<'_, 'a>> {
        let mut places = Vec::new();
        for (source, path, property) in self.places(name) {
            if version.is_none() || source.kind().versions {
                places.push(RungPlace { source, path, property, version });
            } else if version == Some(PREVIOUS)
                && source.kind().writes
                && let Ok(older) = format!("{name}.{PREVIOUS}").parse()
            {
                let older = self.places(&older).into_iter();
                places.extend(older.map(|(source, path, property)| RungPlace {
                    source,
                    path,
                    property,
                    version: None,
                }));
            }
        }
        places
    }

    /// Where a name is looked for: the source, the path, and the property that comes first.
    pub(super) fn places(&self, name: &SecretName) -> Vec<(&dyn Source, String, Option<String>)> {
        match &self.source {
            RungSource::Source(source) => {
                source.candidates(name).into_iter().map(|path| (source.as_ref(), path, None)).collect()
            }
            RungSource::Default(source, template) => {
                let (path, property) = template.of(name, source.as_ref());
                vec![(source.as_ref(), path, property)]
            }
            RungSource::Off { .. } => Vec::new(),
        }
    }
}
