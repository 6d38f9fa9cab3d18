//! `doppio complete`: what the scripts of `doppio completions` ask for while somebody types.

use std::path::Path;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::output;
use crate::cli::secret;
use crate::config::Dirs;
use crate::journal::Store;
use crate::recipe;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What is to be completed
    kind: Kind,
    /// The words of the command line so far
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// What names are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Hosts of hosts.toml, and those that need no entry
    Hosts,
    /// Runs, the newest first
    Runs,
    /// Steps of the recipe among the words, or of the newest run
    Steps,
    /// Secrets that were used here, and well known ones
    Secrets,
}

/// Prints names, one a line. What can't be read has none: nobody wants an error while typing.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let names = match args.kind {
        Kind::Hosts => {
            let mut names = load::hosts(context).map(|hosts| hosts.names()).unwrap_or_default();
            names.extend(["local".to_owned(), "sandbox".to_owned()]);
            names
        }
        Kind::Runs => {
            let runs = store(context).list().unwrap_or_default();
            runs.iter().take(100).map(ToString::to_string).collect()
        }
        Kind::Steps => steps(&args.words, context),
        Kind::Secrets => secret::names(context),
    };
    let lines: String = names.into_iter().map(|name| name + "\n").collect();
    output::text(&lines)
}

fn store(context: &Context) -> Store {
    Store::new(Dirs::new(&context.env, &context.home).runs())
}

/// Ids of steps.
fn steps(words: &[String], context: &Context) -> Vec<String> {
    let is_recipe = |word: &&String| Path::new(word).extension().is_some_and(|ext| ext == "toml");
    if let Some(source) = words.iter().find(is_recipe).and_then(|path| load::read(Path::new(path)).ok()) {
        return recipe::parse(&source).steps.iter().map(|step| step.id.to_string()).collect();
    }
    let store = store(context);
    let named = words.iter().find_map(|word| store.find(Some(word)).ok());
    let Some(run) = named.or_else(|| store.find(None).ok()) else { return Vec::new() };
    let record = store.read(&run).ok();
    let steps = record.into_iter().flat_map(|record| record.state.steps);
    steps.map(|step| step.outline.id.to_string()).collect()
}
