//! The values to look for, as the settings and the arguments have it.

use doppio_secrets::scan::Collected;
use doppio_secrets::scan::Wanted;
use doppio_secrets::scan::collect;
use doppio_secrets::source::SourceError;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::config::Dirs;
use crate::config::Settings;
use crate::config::project_file;

/// Sources that are on this machine and that keep secrets.
const LOCAL: [&str; 2] = ["keyring", "file"];

/// What to search for, and what to skip.
#[derive(Debug)]
pub(in crate::cli::secret) struct Gathered {
    pub collected: Collected,
    /// What `doppio.toml` allows, and what `config.toml` does.
    pub allow: [Vec<String>; 2],
}

/// Reads the values of this machine and of the sources that are named; only those of one name, if
/// one is given.
pub(in crate::cli::secret) async fn gather(
    context: &Context,
    args: &LookupArgs,
    sources: &[String],
    only: Option<&SecretName>,
) -> Result<Gathered, CliError> {
    let settings = Settings::load(
        &context.cwd,
        &Dirs::new(&context.env, &context.home).config_toml(),
        &context.home,
        args.profile(context),
    )?;
    let ladder = lookup::ladder(context, &context.cwd, args)?;
    for scheme in sources {
        ladder.source(scheme).map_err(|error| CliError::usage(error.to_string()))?;
    }
    let wanted = Wanted {
        sources: LOCAL.into_iter().map(str::to_owned).chain(sources.iter().cloned()).collect(),
        names: settings.bindings.keys().cloned().chain(only.cloned()).collect(),
        bound: settings.bindings.into_iter().map(|(name, bound)| (name, bound.reference)).collect(),
        dotenv: settings.dotenv.then(|| project_file(&context.cwd, ".env")),
        only: only.cloned(),
    };
    Ok(Gathered {
        collected: collect(ladder, &wanted).await,
        allow: [settings.scan_allow, settings.scan_allow_everywhere],
    })
}

/// The sources that could not be asked, as one error: what is in them was not looked for.
pub(in crate::cli::secret) fn failures(failed: &[(String, SourceError)]) -> Option<CliError> {
    let (source, first) = failed.first()?;
    let mut error = CliError::world(format!("cannot ask {source}: its values were not searched for"))
        .cause(first.to_string());
    error.hints.extend(first.hint().map(str::to_owned));
    for (source, other) in &failed[1..] {
        error.causes.push(format!("{source}: {other}"));
        error.hints.extend(other.hint().map(str::to_owned));
    }
    error.hints.dedup();
    Some(error)
}
