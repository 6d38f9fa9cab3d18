//! `doppio secret scan`.

mod adopt;
mod allow;
mod gather;
mod show;

pub(super) use gather::failures;
pub(super) use gather::gather;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use doppio_process::GitError;
use doppio_process::Repository;
use doppio_process::is_store;
use doppio_secrets::scan::Hook;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::Scanner;
use doppio_secrets::scan::Skipped;
use doppio_secrets::scan::Tree;
use doppio_secrets::scan::Trouble;
use doppio_secrets::scan::history;
use doppio_secrets::scan::install_hook;
use doppio_secrets::scan::staged;
use doppio_secrets::scan::tree;
use doppio_text::exact;
use doppio_text::shell::quote;
use doppio_text::shell::typed;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::lookup::LookupArgs;
use crate::config::project_folder;

use allow::Allowed;

#[derive(Debug, clap::Args)]
#[command(after_help = "Looks for the values in the keychain, the age vault, the environment (variables of \
                        well-known names) and, where it is a source, `.env`, in all the encodings that the \
                        mask knows, and for texts that look like tokens. Prints locations and names, never a \
                        value. Links are not followed and archives are not opened.\n\n\
                        A line with `doppio:allow` on it is passed over; doppio.toml can list more: \
                        `[scan]` with `allow = [\"tests/keys/**\", \"FINGERPRINT\"]`.\n\n\
                        Exit codes: 0 nothing found, 1 something found, 3 something could not be looked \
                        at.\n\n\
                        Examples:\n  \
                        doppio secret scan\n  \
                        doppio secret scan --staged\n  \
                        doppio secret scan train.py --adopt\n  \
                        doppio secret scan --history --json\n  \
                        doppio secret scan --install-hook")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Args {
    /// Files and folders; the current folder if none is given
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Look at what the next commit would record
    #[arg(long, group = "where")]
    staged: bool,
    /// Look at every object that git keeps, those of deleted branches too
    #[arg(long, group = "where")]
    history: bool,
    /// Look at files that git ignores too
    #[arg(long, conflicts_with = "where")]
    no_ignore: bool,
    /// Look for all items of this source too, as `vault` or `aws`
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<String>,
    /// Look for stored values only, not for texts that look like tokens
    #[arg(long)]
    no_shapes: bool,
    /// Store the tokens that are found and not stored, each under its well-known name, and show what to
    /// write in their place
    #[arg(long, conflicts_with_all = ["where", "no_shapes", "json"])]
    adopt: bool,
    /// With `--adopt`: do not ask
    #[arg(long, short, requires = "adopt")]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
    /// Write a pre-commit hook that runs `doppio secret scan --staged`
    #[arg(long, conflicts_with_all = ["where", "no_ignore", "json"])]
    install_hook: bool,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    if args.install_hook {
        return install(args);
    }
    if (args.staged || args.history) && args.paths.len() > 1 {
        return Err(CliError::usage("only one repository can be searched").hint("name one folder"));
    }
    let gathered = block_on(context, gather(context, &args.lookup, &args.sources, None))??;
    let (scanner, skipped) = Scanner::new(&gathered.collected.values, !args.no_shapes);
    let scanner = if args.adopt { scanner.keeping_text() } else { scanner };
    tell_skipped(&skipped);
    let (report, base) = search(args, &scanner)?;
    let project = project_folder(&context.cwd);
    let allowed = Allowed::new(&gathered.allow, &project, &base)?;
    let found = show::findings(&report, &scanner, &allowed, args.output.is_json())?;
    if args.adopt {
        tell_troubles(&report.troubles);
        return block_on(context, adopt::adopt(args.yes, &args.lookup, &report, &allowed, context))?;
    }
    summary(args, &report, &scanner, found);
    tell_troubles(&report.troubles);
    for store in &report.stores {
        output::line(&format!(
            "note: the history of the bare repository `{}` was not searched: name it with `--history`",
            exact(store)
        ));
    }
    let failed = failures(&gathered.collected.failed);
    if found.real > 0 {
        if let Some(error) = failed {
            output::fail(&error);
        }
        return Err(CliError::silent(Kind::StepFailed));
    }
    match failed {
        Some(error) => Err(error),
        None if report.troubles.is_empty() => Ok(()),
        None => Err(CliError::silent(Kind::World)),
    }
}

/// Says what could not be looked at.
pub(super) fn tell_troubles(troubles: &[Trouble]) {
    for trouble in troubles {
        let path = exact(&trouble.path);
        output::line(&format!("warning: cannot look at `{path}`: {}", trouble.cause));
    }
}

/// Says which values are not searched for, and why.
fn tell_skipped(skipped: &[Skipped]) {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for skipped in skipped {
        reasons.entry(skipped.why).or_default().push(format!("`{}`", skipped.name));
    }
    let reasons: Vec<String> =
        reasons.iter().map(|(why, names)| format!("{}, whose value {why}", names.join(", "))).collect();
    match skipped.len() {
        0 => {}
        1 => output::line(&format!("note: 1 value is not searched for: {}", reasons.join("; "))),
        count => output::line(&format!("note: {count} values are not searched for: {}", reasons.join("; "))),
    }
}

/// What was found, and where the paths of it begin.
fn search(args: &Args, scanner: &Scanner) -> Result<(Report, PathBuf), CliError> {
    let here = PathBuf::from(".");
    let first = args.paths.first().unwrap_or(&here);
    args.paths.iter().try_for_each(|path| can_be_searched(path))?;
    if args.staged {
        let repository = Repository::at(first)?;
        if repository.is_bare()? {
            return Err(CliError::usage("a bare repository has no staged changes")
                .hint(format!("look at its history: `{}`", look_at_history(first))));
        }
        return Ok((staged(scanner, &repository)?, repository.top()));
    }
    if args.history {
        let repository = Repository::at(first)?;
        return Ok((history(scanner, &repository)?, repository.top()));
    }
    let paths = if args.paths.is_empty() { vec![here] } else { args.paths.clone() };
    if let Some(path) = paths.iter().find(|path| is_store(path)) {
        let shown = path.display();
        return Err(CliError::usage(format!(
            "`{shown}` is where git keeps a repository: its content is compressed"
        ))
        .hint(format!("look at its history: `{}`", look_at_history(path))));
    }
    Ok((tree(scanner, &Tree { paths, ignored: args.no_ignore }), PathBuf::new()))
}

/// Refuses a path that there is nothing to look at: it would pass for one where nothing was found.
pub(super) fn can_be_searched(path: &Path) -> Result<(), CliError> {
    let shown = path.display();
    let found = path.symlink_metadata().map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::usage(format!("there is no `{shown}`")),
        _ => CliError::world(format!("cannot look at `{shown}`")).cause(error.to_string()),
    })?;
    if found.is_symlink() && !path.is_dir() {
        return Err(CliError::usage(format!("`{shown}` is a link, and links are not followed"))
            .hint("name the file that it points to"));
    }
    if found.is_file() || path.is_dir() {
        return Ok(());
    }
    Err(CliError::usage(format!("`{shown}` is neither a file nor a folder"))
        .hint("write its output to a file, and name that"))
}

/// The command for the repository at this path.
fn look_at_history(path: &Path) -> String {
    if path == Path::new(".") {
        return "doppio secret scan --history".to_owned();
    }
    format!("doppio secret scan --history {}", quote(&path.display().to_string()))
}

fn summary(args: &Args, report: &Report, scanner: &Scanner, found: show::Found) {
    let what = if args.history { "objects" } else { "files" };
    let shapes = if args.no_shapes { "" } else { " and for token shapes" };
    let allowed = if found.allowed > 0 { format!(", {} more allowed", found.allowed) } else { String::new() };
    let places = match found.real {
        0 => "nothing found".to_owned(),
        1 => "1 place".to_owned(),
        count => format!("{count} places"),
    };
    let (files, size, values) = (report.files, size(report.bytes), scanner.values());
    output::line(&format!(
        "{places}{allowed} in {files} {what}, {size}; searched for {values} stored values{shapes}"
    ));
    if found.real > 0 {
        let hint = if args.staged {
            "unstage it with `git restore --staged FILE`, or mark the line with `doppio:allow`"
        } else if found.stored == 0 {
            "`doppio secret scan --adopt` stores tokens under their names and shows what to write in their place"
        } else {
            "`doppio secret incident NAME` says what to do about a value that got out"
        };
        output::line("");
        output::hint(hint);
    }
}

/// So many bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

fn install(args: &Args) -> Result<(), CliError> {
    let here = PathBuf::from(".");
    match install_hook(&Repository::at(args.paths.first().unwrap_or(&here))?)? {
        Hook::Written(path) => output::line(&format!("wrote the hook `{}`", path.display())),
        Hook::Present(path) => output::line(&format!("the hook `{}` already exists", path.display())),
        Hook::Named(path) => output::line(&format!(
            "the hook `{}` has the line `doppio secret scan --staged` already; make sure that no earlier \
             line ends the hook",
            path.display()
        )),
        Hook::Closed(path) => {
            let shown = path.display();
            return Err(CliError::world(format!(
                "the hook `{shown}` exists, but git ignores it: it is not executable"
            ))
            .hint(format!("run {}", typed(["chmod", "+x", &shown.to_string()]))));
        }
        Hook::Off(folder, scope) => {
            let shown = folder.display();
            let switch = match scope.as_str() {
                "command" => "unset the variables `GIT_CONFIG_…` that set `core.hooksPath`".to_owned(),
                scope => format!("switch them on: `git config --{scope} --unset-all core.hooksPath`"),
            };
            return Err(CliError::world(format!(
                "hooks are switched off: `core.hooksPath` is `{shown}`, which is not a folder"
            ))
            .hint(switch));
        }
        Hook::Occupied(path, line) => {
            return Err(CliError::world(format!(
                "there is another hook, `{}`; it was left unchanged",
                path.display()
            ))
            .hint(format!("add this line to it:\n\n{line}\n")));
        }
    }
    Ok(())
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let fault = Self::world(error.to_string());
        match error {
            GitError::NoRepository { .. } => Self { kind: Kind::Usage, ..fault },
            GitError::NoGit { .. } => fault.hint("install git, or scan files: `doppio secret scan`"),
            GitError::Planted { path, top } => {
                let [path, top] = [path, top].map(|path| quote(&path));
                fault.hint(format!("name the one that is meant: the working tree `{top}`, or `{path}`"))
            }
            GitError::Failed { .. } => fault,
        }
    }
}
