//! A recipe's file → its plan: what `run`, `plan` and `check` share.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use doppio_hosts::HostsFile;
use doppio_secrets::SecretRef;
use doppio_text::Diagnostic;
use doppio_text::OwnFileError;
use doppio_text::Source;
use doppio_text::closest;
use doppio_text::name::HostId;
use doppio_text::name::InvalidName;
use doppio_text::name::SecretName;
use doppio_text::open;
use doppio_text::open_own;
use doppio_text::shell::quote;

use crate::cli::context::Context;
use crate::cli::credentials::ConsentArgs;
use crate::cli::error::CliError;
use crate::cli::linked;
use crate::cli::literals::Literals;
use crate::cli::output;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::lookup::check_bound;
use crate::config::Dirs;
use crate::plan;
use crate::plan::Inputs;
use crate::plan::Plan;
use crate::plan::SelectError;
use crate::plan::Selection;
use crate::recipe;
use crate::step::secret_in;

/// A longer file is not a recipe, in bytes.
pub(super) const LONGEST: u64 = 64 << 20;

/// Which recipe, with which values, and how much of it.
#[derive(Debug, clap::Args)]
pub(super) struct RecipeArgs {
    /// The recipe's file
    pub recipe: PathBuf,
    /// Set a variable of the recipe
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Set variables from a TOML file of `NAME = VALUE` lines
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// The target: the host of every step that names none
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Use a sandbox on this machine, whatever hosts the recipe names
    #[arg(long)]
    pub sandbox: bool,
    /// Leave out all steps but this one
    #[arg(long, value_name = "STEP", conflicts_with = "from")]
    pub only: Vec<String>,
    /// Leave out all steps but this one and those that depend on it
    #[arg(long, value_name = "STEP")]
    pub from: Vec<String>,
    /// Leave out this step
    #[arg(long, value_name = "STEP")]
    pub skip: Vec<String>,
    #[command(flatten)]
    pub consent: ConsentArgs,
    #[command(flatten)]
    pub lookup: LookupArgs,
}

impl RecipeArgs {
    /// The folder of the recipe, whose settings count.
    pub(super) fn folder(&self) -> &Path {
        self.recipe.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// A recipe that can run.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its text.
    pub source: Source,
    /// What will be done.
    pub plan: Plan,
    /// Tokens that its text and its variables hold.
    pub literals: Literals,
}

/// Reads a recipe's file and plans it, without touching a host or a secret. Draws the warnings.
pub(super) fn load(args: &RecipeArgs, context: &Context, hosts: &HostsFile) -> Result<Loaded, CliError> {
    let vars = variables(args)?;
    let host = args.host.as_deref().or(args.sandbox.then_some("sandbox"));
    let target = host.map(target).transpose()?;
    let source = read(&args.recipe)?;
    let tagged = |tag: &str| hosts.tagged(tag);
    let host_env = hosts.env_names();
    let inputs = Inputs {
        vars: &vars,
        env: &context.env,
        target: target.as_ref(),
        tagged: &tagged,
        host_env: &host_env,
        is_check: false,
    };
    let (plan, warnings) = match plan::build(recipe::parse(&source), &inputs) {
        Ok(built) => built,
        Err(faults) => return Err(linked::faults(&args.recipe, source, faults)),
    };
    if let Some(name) = plan.unused_vars().first() {
        return Err(unused(name, &plan));
    }
    // Those of the whole recipe may be bound, left out steps included.
    let references = plan.steps().iter().flat_map(|step| &step.secrets);
    let wanted = plan.steps().iter().flat_map(|step| &step.credentials);
    let of_providers = wanted.flat_map(|(wanted, _)| wanted.provider.keys());
    let secrets: BTreeSet<SecretName> = references
        .filter_map(SecretRef::name)
        .cloned()
        .chain(of_providers.filter_map(|key| key.name.parse().ok()))
        .collect();
    let selection = Selection { only: args.only.clone(), from: args.from.clone(), skip: args.skip.clone() };
    let plan = plan.select(&selection).map_err(|error| unselected(&error, &selection))?;
    check_bound(&args.lookup, &secrets)?;
    if !warnings.is_empty() {
        output::faults(&source, &warnings);
    }
    let literals = Literals::of(vars.iter().map(|(_, value)| value.as_str()).chain([source.text()]));
    Ok(Loaded { source, plan, literals })
}

/// The hosts of the user's `hosts.toml`; none if there is no such file.
pub(super) fn hosts(context: &Context) -> Result<HostsFile, CliError> {
    let path = Dirs::new(&context.env, &context.home).hosts_toml();
    let file = match open_own(&path, &context.home) {
        Ok(file) => Ok(file),
        Err(OwnFileError::NotOwn(error)) => return Err(error.into()),
        Err(OwnFileError::Io(error))
            if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() =>
        {
            return Ok(HostsFile::missing(path.display().to_string()));
        }
        Err(OwnFileError::Io(error)) => Err(error),
    };
    let source = text_of(&path, file)?;
    HostsFile::parse(&source).map_err(|faults| CliError::faults(source, faults))
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<Source, CliError> {
    text_of(path, open(path))
}

fn text_of(path: &Path, opened: io::Result<File>) -> Result<Source, CliError> {
    let name = path.display().to_string();
    let cannot = |cause: String| CliError::usage(format!("cannot read `{name}`")).cause(cause);
    let mut bytes = Vec::new();
    opened.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(|error| {
        let hint = unread(path, &error);
        hint.into_iter().fold(cannot(error.to_string()), CliError::hint)
    })?;
    if bytes.len() as u64 > LONGEST {
        return Err(cannot("it is longer than 64 MiB".to_owned()));
    }
    match String::from_utf8(bytes) {
        // TOML lets a parser choose the newline of its texts of several lines, and no shell knows
        // the one of Windows.
        Ok(text) if text.contains("\r\n") => Ok(Source::new(name, text.replace("\r\n", "\n"))),
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let fault = Diagnostic::error("recipe::not-utf-8", "not UTF-8", at..at + 1);
            Err(linked::faults(path, Source::new(name, text), vec![fault]))
        }
    }
}

/// `--var-file` in order, then `--var`; later ones stand before earlier ones.
fn variables(args: &RecipeArgs) -> Result<Vec<(String, String)>, CliError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for path in &args.var_files {
        let source = read(path)?;
        all.extend(recipe::values(&source).map_err(|faults| linked::faults(path, source, faults))?);
    }
    for var in &args.vars {
        let Some((name, value)) = var.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(
                CliError::usage(format!("`--var {var}` has no value")).hint("write `--var NAME=VALUE`")
            );
        };
        if let Some(reference) = secret_in(value) {
            return Err(CliError::usage(format!(
                "no secret is looked up in `--var`, and `{reference}` stands in `{name}`"
            ))
            .hint(format!("write `{name} = \"{reference}\"` under `[variables]` of the recipe")));
        }
        all.push((name.to_owned(), value.to_owned()));
    }
    let mut seen = HashSet::new();
    let mut vars: Vec<_> = all.into_iter().rev().filter(|(name, _)| seen.insert(name.clone())).collect();
    vars.reverse();
    Ok(vars)
}

fn target(name: &str) -> Result<HostId, CliError> {
    name.parse().map_err(|error: InvalidName| CliError::usage(format!("`--host`: {error}")))
}

fn unused(name: &str, plan: &Plan) -> CliError {
    let error = CliError::usage(format!("the recipe has no variable `{name}`"));
    let known = plan.variables().iter().map(|(name, _)| name.as_str());
    let known: Vec<&str> = known.filter(|name| !plan.unused_vars().iter().any(|var| var == name)).collect();
    match closest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `--var {near}=…`?")),
        None if known.is_empty() => error.hint(format!(
            "it has none; add `[variables]` with `{name} = \"…\"`, and use it as `${{{name}}}`"
        )),
        None => error.hint(format!("its variables are {}", list(&known))),
    }
}

fn unselected(error: &SelectError, asked: &Selection) -> CliError {
    let said = CliError::usage(error.to_string());
    match error {
        SelectError::Unknown { near: Some(near), .. } => said.hint(format!("did you mean `{near}`?")),
        SelectError::Unknown { known, .. } => said
            .hint(format!("its steps are {}", list(&known.iter().map(String::as_str).collect::<Vec<_>>()))),
        SelectError::NeedsResult { missing, .. } => said.hint(instead(missing, asked)),
        SelectError::Empty => said.hint("leave out fewer steps: `--skip` names those that do not run"),
    }
}

/// Options that take in what is missing as well.
fn instead(missing: &[String], asked: &Selection) -> String {
    let skip = asked.skip.iter().filter(|step| !missing.contains(step));
    let option = if asked.from.is_empty() { "only" } else { "from" };
    let wanted = if asked.from.is_empty() { &asked.only } else { &asked.from };
    // Without a choice of steps, all but the skipped ones run.
    let added: &[String] = if wanted.is_empty() { &[] } else { missing };
    let options = added.iter().chain(wanted).map(|step| format!("--{option} {}", quote(step)));
    let options: Vec<String> = options.chain(skip.map(|step| format!("--skip {}", quote(step)))).collect();
    if options.is_empty() {
        return "include it as well: leave out `--skip`".to_owned();
    }
    format!("include it as well: `{}`", options.join(" "))
}

/// Names, as many as a line holds.
fn list(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// What to do about a file that can't be read.
fn unread(path: &Path, error: &io::Error) -> Option<String> {
    let (folder, name) = match error.kind() {
        ErrorKind::IsADirectory => (path, ""),
        ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            (folder.unwrap_or(Path::new(".")), path.file_name()?.to_str()?)
        }
        _ => return None,
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Some(format!("there is no folder `{}`", folder.display()));
    };
    let mut found: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|ext| ext == "toml"))
        .collect();
    found.sort_unstable();
    let shown = |name: &str| match folder {
        folder if folder == Path::new(".") && !path.starts_with(".") => format!("`{name}`"),
        folder => format!("`{}`", folder.join(name).display()),
    };
    let near = closest(name, found.iter().map(String::as_str));
    if let Some(near) = near {
        return Some(format!("did you mean {}?", shown(near)));
    }
    let what = if name.is_empty() { "it is a folder" } else { "there is no such file" };
    Some(match found.as_slice() {
        [] => format!("{what}; name the file of a recipe, as in `doppio run train.toml`"),
        [only] => format!("{what}; did you mean {}?", shown(only)),
        several => {
            let names: Vec<String> = several.iter().take(8).map(|name| shown(name)).collect();
            format!("{what}; TOML files there: {}", names.join(", "))
        }
    })
}
