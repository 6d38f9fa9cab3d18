//! `doppio secret export`.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use futures_util::future::try_join_all;

use doppio_process::Ignored;
use doppio_process::Repository;
use doppio_secrets::AuditAction;
use doppio_secrets::Ladder;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretValue;
use doppio_secrets::Use;
use doppio_secrets::export;
use doppio_secrets::export::Format;
use doppio_secrets::export::Github;
use doppio_secrets::export::Unwritable;
use doppio_secrets::export::Wrapping;
use doppio_secrets::looks_like_value;
use doppio_secrets::naming;
use doppio_text::name::EnvName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::secret::arguments;
use crate::cli::secret::document;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Needs;
use crate::cli::secret::transfer::secrets as counted;

#[derive(Debug, clap::Args)]
#[command(after_help = "`external-secret`, `compose` and `amlt` hold references and no values. The others \
                        hold values: they need `--reveal`, and `--force` too where stdout is a pipe.\n\n\
                        Examples:\n  doppio secret export --format external-secret --recipe train.toml\n  \
                        doppio secret export --format k8s huggingface/token --reveal --out secret.yaml\n  \
                        doppio secret export --format github DB_URL=aws:prod/app#url --reveal")]
pub(in crate::cli) struct Args {
    /// What to write
    #[arg(long, value_name = "FORMAT")]
    format: FormatArg,
    /// What to export: a reference, or a variable and a reference
    #[arg(value_name = "[VARIABLE=]REF", required_unless_present_any = ["recipe", "all_of"])]
    references: Vec<String>,
    /// Export every member of this document, each under its own key
    #[arg(long, value_name = "REF")]
    all_of: Vec<String>,
    /// Export what this recipe needs
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Write to this file, which must not exist yet; its mode becomes 0600
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write values
    #[arg(long)]
    reveal: bool,
    /// Write values even if stdout is not a terminal
    #[arg(long, requires = "reveal")]
    force: bool,
    /// The name of the Kubernetes object, or of the Compose service
    #[arg(long, default_value = "doppio")]
    name: String,
    /// The namespace of the Kubernetes object
    #[arg(long)]
    namespace: Option<String>,
    /// The `SecretStore` of an external secret
    #[arg(long, default_value = "doppio")]
    store: String,
    #[command(flatten)]
    lookup: LookupArgs,
}

/// The formats as the command line has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormatArg {
    /// NAME='value' lines that dotenv readers, Compose's `env_file` and shells read alike
    Dotenv,
    /// NAME=value lines for `docker run --env-file`, which takes quotes as part of a value
    Docker,
    /// export NAME='value' lines for a POSIX shell
    Shell,
    /// One JSON object
    Json,
    /// A Kubernetes Secret
    K8s,
    /// An `ExternalSecret` of external-secrets.io
    ExternalSecret,
    /// GitHub Actions: masks to stdout, variables to the file of `GITHUB_ENV` or `--out`
    Github,
    /// A Compose service that passes variables on
    Compose,
    /// The block of an Amulet configuration
    Amlt,
}

impl FormatArg {
    /// The format, but for GitHub Actions, which are two.
    fn single(self) -> Option<Format> {
        Some(match self {
            Self::Dotenv => Format::Dotenv,
            Self::Docker => Format::Docker,
            Self::Shell => Format::Shell,
            Self::Json => Format::Json,
            Self::K8s => Format::K8s,
            Self::ExternalSecret => Format::ExternalSecret,
            Self::Compose => Format::Compose,
            Self::Amlt => Format::Amlt,
            Self::Github => return None,
        })
    }
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let mut secrets = wanted(args)?;
    for text in &args.all_of {
        let ladder = lookup::ladder(context, &context.cwd, &args.lookup)?;
        let vault = lookup::session(context, &context.cwd, &args.lookup)?;
        for reference in document::members(&ladder, &vault, &arguments::reference(text)?).await? {
            secrets.push((variable_of(&reference)?, reference));
        }
    }
    expect_one_each(&secrets)?;
    let wrapping =
        Wrapping { name: args.name.clone(), namespace: args.namespace.clone(), store: args.store.clone() };
    let format = args.format.single();
    if let Some(format) = format.filter(|format| format.has_references()) {
        let ladder = lookup::ladder(context, &context.cwd, &args.lookup)?;
        let secrets: Vec<(EnvName, SecretRef)> = secrets
            .into_iter()
            .map(|(variable, reference)| Ok((variable, followed(&ladder, reference)?)))
            .collect::<Result<_, CliError>>()?;
        let text = export::references(format, &secrets, &wrapping).map_err(|error| unwritable(&error))?;
        write(args.out.as_deref(), text.as_bytes(), secrets.len())?;
        return Ok(());
    }
    permit(args, context)?;
    let (mut valued, mut uses) = (Vec::with_capacity(secrets.len()), Vec::new());
    let vault = lookup::audited(context, lookup::session(context, &context.cwd, &args.lookup)?)?;
    let fetched = try_join_all(secrets.iter().map(|(_, reference)| vault.fetch(reference))).await?;
    for ((variable, reference), value) in secrets.into_iter().zip(fetched) {
        if reference.leaves_unset() && vault.stands_in(&reference) {
            continue;
        }
        let what = Use {
            action: AuditAction::Export,
            secret: reference.label(),
            variable: Some(variable.to_string()),
            ..Use::default()
        };
        uses.push((what, Some(value.clone())));
        valued.push((variable, value));
    }
    warn_of_git(args, context);
    // What can't be written completely is not an export.
    if let Some(format) = format {
        let text = export::values(format, &valued, &wrapping).map_err(|error| unwritable(&error))?;
        lookup::record_all(context, uses)?;
        write(args.out.as_deref(), &text, valued.len())?;
    } else {
        let written = github(&valued)?;
        let file = github_file(args, context)?;
        lookup::record_all(context, uses)?;
        write_github(args, &written, file, valued.len())?;
    }
    lookup::tell_of_lent(&vault);
    Ok(())
}

/// The reference with its name resolved as the settings and the command line bind it: nobody else
/// knows these bindings.
fn followed(ladder: &Ladder, reference: SecretRef) -> Result<SecretRef, CliError> {
    let Some(bound) = reference.name().and_then(|name| ladder.binding(name)) else { return Ok(reference) };
    let SecretRef { origin, property, version, .. } = bound.reference.clone();
    let property = match (property, reference.property.clone()) {
        (Some(_), Some(_)) => {
            let (by, to) = (&bound.by, &bound.reference);
            return Err(CliError::usage(format!(
                "`{reference}` can't be written as one reference: {by} binds its name to `{to}`, which is a member already"
            ))
            .hint("export the value, as with `--format k8s`"));
        }
        (own, asked) => asked.or(own),
    };
    Ok(SecretRef { origin, property, version: reference.version.or(version), default: reference.default })
}

/// Refuses to write values that were not asked for, or to where they may last.
fn permit(args: &Args, context: &Context) -> Result<(), CliError> {
    if !args.reveal {
        return Err(CliError::usage("this format holds the values themselves").hint(
            "repeat the command with `--reveal`; `external-secret`, `compose` and `amlt` hold references",
        ));
    }
    // On a runner, stdout has the commands that mask, which it keeps to itself.
    let is_runner = args.format == FormatArg::Github && context.env.text("GITHUB_ACTIONS") == Some("true");
    let goes_to_stdout = args.out.is_none() || args.format == FormatArg::Github;
    if goes_to_stdout && !context.stdout_is_terminal && !args.force && !is_runner {
        return Err(CliError::usage("stdout is not a terminal: the values may end up in a file or a log")
            .hint("add `--force` if that is what you want, or write a private file with `--out FILE`"));
    }
    Ok(())
}

/// The variables and the references, in the order of the command line and then of the recipe.
fn wanted(args: &Args) -> Result<Vec<(EnvName, SecretRef)>, CliError> {
    let mut wanted = args.references.iter().map(|text| binding(text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(recipe) = &args.recipe {
        let mut needs = Needs::new();
        needs::collect(recipe, &mut needs)?;
        for reference in needs.into_keys() {
            let variable = naming::variable_in_recipe(&reference);
            // The user has said where it goes.
            if variable.is_none() && wanted.iter().any(|(_, given)| given.label() == reference.label()) {
                continue;
            }
            let variable = given_variable(variable, &reference)?;
            let needed = (variable, needs::without_default(reference));
            if !wanted.contains(&needed) {
                wanted.push(needed);
            }
        }
    }
    if wanted.is_empty() && args.all_of.is_empty() {
        return Err(CliError::usage("the recipe names no secret"));
    }
    Ok(wanted)
}

/// Refuses two secrets for one variable.
fn expect_one_each(wanted: &[(EnvName, SecretRef)]) -> Result<(), CliError> {
    for (at, (variable, reference)) in wanted.iter().enumerate() {
        if let Some((_, other)) = wanted[..at].iter().find(|(earlier, _)| earlier == variable) {
            return Err(CliError::usage(format!("`{other}` and `{reference}` both become `{variable}`"))
                .hint(format!("give one another variable: `OTHER={reference}`")));
        }
    }
    Ok(())
}

/// One `[VARIABLE=]REF`. What can't be read may hold a value, so it is not repeated.
fn binding(text: &str) -> Result<(EnvName, SecretRef), CliError> {
    let (variable, reference) = match text.split_once('=') {
        Some((variable, reference)) if variable.parse::<EnvName>().is_ok() => (Some(variable), reference),
        _ => (None, text),
    };
    let reference = arguments::reference(reference)?;
    if looks_like_value(&reference.to_string()) {
        return Err(CliError::usage("this looks like a value, not like a reference to one")
            .hint("store it with `doppio secret set NAME`, and give the name here"));
    }
    match variable.map(str::parse::<EnvName>) {
        Some(Ok(variable)) => Ok((variable, reference)),
        _ => Ok((variable_of(&reference)?, reference)),
    }
}

fn variable_of(reference: &SecretRef) -> Result<EnvName, CliError> {
    given_variable(naming::variable_of(reference), reference)
}

fn given_variable(variable: Option<EnvName>, reference: &SecretRef) -> Result<EnvName, CliError> {
    variable.ok_or_else(|| {
        CliError::usage(format!("`{}` can't be turned into a variable's name", reference.label()))
            .hint(format!("name one: `VARIABLE={}`", reference.label()))
    })
}

fn unwritable(error: &Unwritable) -> CliError {
    CliError::usage(error.to_string())
}

fn github(valued: &[(EnvName, SecretValue)]) -> Result<Github, CliError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).or_world("the system gives no random numbers")?;
    export::github(valued, random).map_err(|error| unwritable(&error))
}

fn write_github(
    args: &Args,
    written: &Github,
    (path, mut file, is_open): (PathBuf, File, bool),
    count: usize,
) -> Result<(), CliError> {
    // Masked first: from then on no value is visible. Masks that the runner does not read mask
    // nothing.
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(&written.masks)
        .and_then(|()| stdout.flush())
        .or_world("the runner did not accept the masks, so no variable was written")?;
    let start: &[u8] = if is_open { b"\n" } else { b"" };
    file.write_all(start)
        .and_then(|()| file.write_all(&written.variables))
        .map_err(|error| cannot(&path, &error))?;
    let verb = if args.out.is_some() { "wrote" } else { "added" };
    output::line(&format!("{verb} {} to `{}`", counted(count), path.display()));
    Ok(())
}

/// The file for variables: a new one, or the runner's, which others add to as well. Says whether
/// its last line has no end.
fn github_file(args: &Args, context: &Context) -> Result<(PathBuf, File, bool), CliError> {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    if let Some(path) = &args.out {
        let file = options.write(true).create_new(true).open(path);
        return file.map(|file| (path.clone(), file, false)).map_err(|error| cannot(path, &error));
    }
    let path = context.env.path("GITHUB_ENV").ok_or_else(|| {
        CliError::usage("`GITHUB_ENV` is not set: this is not a step of GitHub Actions")
            .hint("name the file with `--out FILE`")
    })?;
    let opened = options.read(true).append(true).create(true).open(&path).and_then(|file| {
        let len = file.metadata()?.len();
        let mut last = [b'\n'];
        if let Some(at) = len.checked_sub(1) {
            file.read_exact_at(&mut last, at)?;
        }
        Ok((file, last != *b"\n"))
    });
    opened.map(|(file, is_open)| (path.clone(), file, is_open)).map_err(|error| cannot(&path, &error))
}

/// Says that a file of values would be in the next commit.
fn warn_of_git(args: &Args, context: &Context) {
    let Some(path) = args.out.as_ref().map(|path| context.cwd.join(path)) else { return };
    let shown = path.display();
    match Repository::ignores_blocking(&path) {
        Ignored::Yes | Ignored::Nowhere => {}
        Ignored::No => output::line(&format!(
            "warning: git does not ignore `{shown}`: the next `git add` would add the values"
        )),
        Ignored::Unknown(why) => {
            output::line(&format!("warning: whether git ignores `{shown}` is not known: {why}"));
        }
    }
}

/// Writes to a file that is made for it, or to stdout.
fn write(out: Option<&Path>, text: &[u8], count: usize) -> Result<(), CliError> {
    let Some(path) = out else { return output::data(text) };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text))
        .map_err(|error| cannot(path, &error))?;
    output::line(&format!("wrote {} to `{}`", counted(count), path.display()));
    Ok(())
}

fn cannot(path: &Path, error: &io::Error) -> CliError {
    let shown = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        return CliError::usage(format!("`{shown}` already exists"))
            .hint(format!("remove it, or name another: {}", typed(["rm", &shown.to_string()])));
    }
    CliError::world(format!("cannot write `{shown}`")).cause(error.to_string())
}
