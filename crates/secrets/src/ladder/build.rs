//! A ladder of all rungs.

use std::sync::Arc;

use crate::Environment;
use crate::ladder::Ladder;
use crate::ladder::rungs::LadderOptions;
use crate::ladder::rungs::Rung;
use crate::ladder::rungs::RungSource;
use crate::source::AgeVault;
use crate::source::CommandSource;
use crate::source::Dotenv;
use crate::source::Env;
use crate::source::Keyring;
use crate::source::Local;
use crate::source::Logins;
use crate::source::Remote;
use crate::source::Setup;
use crate::source::Source;
use crate::source::TIMEOUT;

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
            rungs[1].source = RungSource::Off { place: dotenv.place(), cause };
        }
        rungs.extend([Rung::of(5, &keyring), Rung::of(6, &file)]);
        let mut sources = vec![env, dotenv, keyring, file, command];
        let logins = Logins::default();
        let mut tables = options.sources;
        for remote in options.kinds.remote() {
            let table = tables.remove(remote.kind.scheme).unwrap_or_default();
            let deadline = table.seconds(TIMEOUT.name);
            let source = (remote.open)(Setup {
                environment: options.environment.clone(),
                home: options.home.clone(),
                options: table,
                local: local.clone(),
                logins: logins.clone(),
            });
            sources.push(Arc::new(Remote::new(source, deadline, logins.clone())));
        }
        let default = options.default_source.and_then(|template| {
            let source = sources.iter().find(|source| source.kind().scheme == template.scheme())?;
            Some(RungSource::Default(Arc::clone(source), template))
        });
        rungs.push(Rung {
            number: 7,
            source: default.unwrap_or_else(|| RungSource::Off {
                place: "`default_source`".to_owned(),
                cause: "the settings name none",
            }),
        });
        rungs.push(match &options.discovery {
            Some(source) => Rung::of(8, source),
            None => Rung {
                number: 8,
                source: RungSource::Off {
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
            logins,
        }
    }

    /// A ladder of the environment alone: for programs that use the library, and for tests.
    pub fn of_environment(environment: Environment) -> Self {
        let of_names: Arc<dyn Source> = Arc::new(Env::of_names(environment.clone()));
        let env: Arc<dyn Source> = Arc::new(Env::new(environment));
        Self { rungs: vec![Rung::of(3, &of_names)], sources: vec![env], ..Self::default() }
    }
}
