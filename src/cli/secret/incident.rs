//! `doppio secret incident`: a value leaked; where it is, and what to do, most urgent first.

mod replacements;
mod story;

use std::collections::BTreeSet;
use std::path::PathBuf;

use story::Story;

use doppio_process::GitError;
use doppio_process::Repository;
use doppio_process::is_store;
use doppio_secrets::AuditError;
use doppio_secrets::AuditLog;
use doppio_secrets::SecretValue;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::Scanner;
use doppio_secrets::scan::Tree;
use doppio_secrets::scan::Trouble;
use doppio_secrets::scan::history;
use doppio_secrets::scan::staged;
use doppio_secrets::scan::tree;
use doppio_secrets::vendor;
use doppio_text::shell::typed;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::scan::can_be_searched;
use crate::cli::secret::scan::failures;
use crate::cli::secret::scan::gather;
use crate::cli::secret::scan::tell_troubles;
use crate::cli::secret::uses;
use crate::cli::secret::uses::Use;
use crate::config::Dirs;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks for the value, and for the older ones that the age vault keeps, in the working \
                        tree, the index and the whole history; asks git which remote branches have it, and \
                        the audit log and the journals of runs which hosts. Changes nothing, and prints no \
                        value. Exit code 1 if it is found.\n\n\
                        Examples:\n  \
                        doppio secret incident huggingface/token\n  \
                        doppio secret incident huggingface/token --write-replacements \
                        /dev/shm/replacements"
)]
pub(in crate::cli) struct Args {
    /// Its name
    name: String,
    /// A folder of the repository
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Write the file for `git filter-repo --replace-text`: new, for you alone, with the value in it
    #[arg(long, value_name = "FILE")]
    write_replacements: Option<PathBuf>,
    /// Look for the items of this source too, as `vault` or `aws`
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<String>,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(&args.name)?;
    can_be_searched(&args.path)?;
    // The commands that are shown begin with a `cd`.
    let replacements = args.write_replacements.as_ref().map(|path| context.cwd.join(path));
    replacements.as_deref().map_or(Ok(()), replacements::can_be_written)?;
    let gathered = block_on(context, gather(context, &args.lookup, &args.sources, Some(&name)))??;
    let (scanner, skipped) = Scanner::new(&gathered.collected.values, false);
    let scanner = scanner.keeping_text();
    if let Some(skipped) = skipped.first() {
        output::line(&format!("warning: `{}` is not searched for: its value {}", skipped.name, skipped.why));
    }
    let failed = failures(&gathered.collected.failed);
    if let Some(error) = &failed {
        output::fail(error);
    }
    if scanner.values() == 0 {
        // What a scan calls a token that is not stored is its kind.
        if let Some(key) = vendor::of_kind(name.as_str()) {
            return Err(CliError::usage(format!(
                "`{name}` is a kind of token; the secret is called `{}`",
                key.name
            ))
            .hint(format!(
                "store the one that was found: {}",
                typed(["doppio", "secret", "scan", "--adopt", &args.path.display().to_string()])
            ))
            .hint(format!("then ask about it: {}", typed(["doppio", "secret", "incident", key.name]))));
        }
        return Err(CliError::world(format!("there is no value of `{name}` to look for")).hint(format!(
            "if it is in a remote source, name that with `--source`; if it was removed, store it once more with \
             `doppio secret set {name}`"
        )));
    }
    let repository = match Repository::at(&args.path) {
        Ok(repository) => Some(repository),
        Err(GitError::NoRepository { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut story = Story::new(&name, &scanner);
    story.is_store = is_store(&args.path);
    story.tree = tree(&scanner, &Tree { paths: vec![args.path.clone()], ignored: false });
    if let Some(repository) = &repository {
        story.is_bare = repository.is_bare().unwrap_or_default();
        if !story.is_bare {
            story.staged = searched("the index", staged(&scanner, repository));
        }
        story.history = searched("the history", history(&scanner, repository));
        story.ask_remotes(repository);
    }
    let uses = uses::all(context);
    let log = AuditLog::new(Dirs::new(&context.env, &context.home).state());
    let prints = fingerprints(&log, &uses.known, &gathered.collected.values);
    if let Err(error) = &prints {
        output::line(&format!("warning: who got it under another name is not known: {error}"));
    }
    let is_remembered = uses.is_whole && prints.is_ok();
    story.remember(uses.known, &prints.unwrap_or_default());
    if let Some(path) = &replacements {
        let count = replacements::write(path, &story)?;
        output::line(&format!(
            "wrote {count} replacements to `{}`; remove it when you are done",
            path.display()
        ));
    }
    output::text(&story.tell(replacements.as_deref(), repository.is_some()))?;
    story.troubles().for_each(tell_troubles);
    if story.is_found() {
        return Err(CliError::silent(Kind::StepFailed));
    }
    // Not everything was searched: finding nothing means little.
    let is_whole = failed.is_none() && is_remembered && story.is_whole();
    if is_whole { Ok(()) } else { Err(CliError::silent(Kind::World)) }
}

/// What a search came to. One that failed does not hide what the others found.
fn searched(place: &str, found: Result<Report, GitError>) -> Report {
    found.unwrap_or_else(|error| {
        let trouble = Trouble { path: place.as_bytes().to_vec(), cause: error.to_string() };
        Report { troubles: vec![trouble], ..Report::default() }
    })
}

/// What the audit log has for the values: the same value may have gone under another name.
fn fingerprints(
    log: &AuditLog,
    uses: &[Use],
    values: &[(String, SecretValue)],
) -> Result<BTreeSet<String>, AuditError> {
    // Where there is none, there is no key either, and none is made.
    if uses.iter().all(|used| used.fingerprint.is_none()) {
        return Ok(BTreeSet::new());
    }
    values.iter().map(|(_, value)| log.fingerprint(value)).collect()
}
