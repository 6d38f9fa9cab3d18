//! What a ladder is made of: its rungs, and who is asked on each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use doppio_text::name::SecretName;

use crate::Environment;
use crate::ladder::Bound;
use crate::ladder::DefaultSource;
use crate::ladder::Ladder;
use crate::ladder::OnError;
use crate::source::AgeVault;
use crate::source::Command;
use crate::source::CommandSource;
use crate::source::Dotenv;
use crate::source::Env;
use crate::source::KeyOptions;
use crate::source::Keyring;
use crate::source::Local;
use crate::source::Options;
use crate::source::Remote;
use crate::source::Setup;
use crate::source::Source;
use crate::source::SourceKinds;
use crate::source::TIMEOUT;

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
    pub(super) place: Place,
}

/// Who is asked on a rung.
#[derive(Debug)]
pub(super) enum Place {
    /// This source, under the paths that it has for a name.
    Source(Arc<dyn Source>),
    /// This source, under the path that the settings make of a name.
    Default(Arc<dyn Source>, DefaultSource),
    /// No source: the settings leave it out.
    Off { place: String, cause: &'static str },
}

impl Rung {
    pub(super) fn of(number: u8, source: &Arc<dyn Source>) -> Self {
        Self { number, place: Place::Source(Arc::clone(source)) }
    }

    /// Where a name is looked for: the source, the path, and the property that comes first.
    pub(super) fn places(&self, name: &SecretName) -> Vec<(&dyn Source, String, Option<String>)> {
        match &self.place {
            Place::Source(source) => {
                source.candidates(name).into_iter().map(|path| (source.as_ref(), path, None)).collect()
            }
            Place::Default(source, template) => {
                let (path, property) = template.of(name, source.as_ref());
                vec![(source.as_ref(), path, property)]
            }
            Place::Off { .. } => Vec::new(),
        }
    }
}

impl Ladder {
    /// The ladder of all rungs.
    pub fn new(options: LadderOptions) -> Self {
        let (dotenv, dotenv_is_rung) = options.dotenv;
        let (vault, keys) = options.vault;
        let env: Arc<dyn Source> = Arc::new(Env::new(options.environment.clone()));
        let dotenv: Arc<dyn Source> = Arc::new(Dotenv::new(dotenv));
        let keyring: Arc<dyn Source> = Arc::new(Keyring::new(Arc::clone(&keys.keychain)));
        let file: Arc<dyn Source> = Arc::new(AgeVault::new(vault, keys));
        let command: Arc<dyn Source> = Arc::new(CommandSource::new(options.commands));
        let local = Local::new([&env, &keyring, &file, &command].map(Arc::clone));
        let of_names: Arc<dyn Source> = Arc::new(Env::of_names(options.environment.clone()));
        let mut rungs = vec![Rung::of(3, &of_names), Rung::of(4, &dotenv)];
        if !dotenv_is_rung {
            let cause = "the settings do not say `dotenv = true`";
            rungs[1].place = Place::Off { place: dotenv.place(), cause };
        }
        rungs.extend([Rung::of(5, &keyring), Rung::of(6, &file)]);
        let mut sources = vec![env, dotenv, keyring, file, command];
        let mut tables = options.sources;
        for remote in options.kinds.remote() {
            let table = tables.remove(remote.kind.scheme).unwrap_or_default();
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
        Self {
            kinds: options.kinds,
            bound: vec![options.flags, options.bindings],
            rungs,
            sources,
            on_error: options.on_error,
        }
    }

    /// A ladder of the environment alone: for programs that use the library, and for tests.
    pub fn of_environment(environment: Environment) -> Self {
        let of_names: Arc<dyn Source> = Arc::new(Env::of_names(environment.clone()));
        let env: Arc<dyn Source> = Arc::new(Env::new(environment));
        Self { rungs: vec![Rung::of(3, &of_names)], sources: vec![env], ..Self::default() }
    }
}
