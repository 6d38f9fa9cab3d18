//! `doppio secret exec`: a local command with secrets in its environment.
//!
//! Its output goes through the mask, so it is a pipe to the command, even where ours is a
//! terminal. It stays in our process group, so that the shell's job control holds for both.

mod output;
mod schedulers;
mod signals;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;
use std::process::ExitStatus;
use std::process::Stdio;

use futures_util::future::try_join_all;

use doppio_process::Outputs;
use doppio_process::Program;
use doppio_secrets::Carrier;
use doppio_secrets::Delivery;
use doppio_secrets::Mask;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::Use;
use doppio_secrets::looks_like_value;
use doppio_secrets::naming;
use doppio_text::name::EnvName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::secret::arguments;
use crate::cli::secret::bindings::bindings;
use crate::cli::secret::bindings::given_variable;
use crate::cli::secret::bindings::usual_variable;
use crate::cli::secret::document;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::needs;
use crate::cli::secret::needs::Needs;
use crate::config::Dirs;
use crate::config::Settings;

#[derive(Debug, clap::Args)]
#[command(after_help = "The exit code is the command's, 128 and the signal's number if a signal ended it, \
                        127 if there is no such command. INT, TERM, HUP, WINCH and the like are passed on.\n\n\
                        Without any, the command gets what `[exec]` of doppio.toml lists.\n\n\
                        Examples:\n  doppio secret exec huggingface/token wandb/api_key -- python train.py\n  \
                        doppio secret exec TOKEN=huggingface/token -- ./upload.sh\n  \
                        doppio secret exec --recipe train.toml -- bash\n  \
                        doppio secret exec DB_URL=aws:prod/app#DATABASE_URL -- ./migrate")]
pub(in crate::cli) struct Args {
    /// Secrets, each in its usual variable or in the one that is named
    #[arg(value_name = "[VARIABLE=]REF")]
    bindings: Vec<String>,
    /// Give it what this recipe needs
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Give it every member of this document, each in its own variable
    #[arg(long, value_name = "REF")]
    all_of: Vec<String>,
    /// Mask this secret in the output, too, and do not hand it over: for programs that fetch it themselves
    #[arg(long, value_name = "REF")]
    also_mask: Vec<String>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true, required = true)]
    command: Vec<OsString>,
    /// Let the output through as it is: for programs that need the terminal for themselves
    #[arg(long)]
    no_mask: bool,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let mut bindings = wanted(args, context)?;
    let masked = args.also_mask.iter().map(|text| also(text)).collect::<Result<Vec<_>, _>>()?;
    let ladder = lookup::ladder(context, &context.cwd, &args.lookup)?;
    let mask = Mask::default();
    let vault = lookup::audited(context, SecretSession::new(ladder, mask.clone()))?;
    for text in &args.all_of {
        let ladder = lookup::ladder(context, &context.cwd, &args.lookup)?;
        let mut members = BTreeMap::new();
        for reference in document::members(&ladder, &vault, &arguments::reference(text)?).await? {
            let variable = usual_variable(&reference)?;
            if let Some(other) = members.insert(variable.clone(), reference.clone()) {
                let (one, other) = (reference.label(), other.label());
                return Err(CliError::usage(format!("`{other}` and `{one}` would both be `{variable}`"))
                    .hint(format!("name them one by one: `VARIABLE={one}`")));
            }
        }
        // What is named by itself counts more.
        for (variable, reference) in members {
            bindings.entry(variable).or_insert(reference);
        }
    }
    // From here on a signal is an answer: what is leased is given back first.
    let mut signals = signals::listen()?;
    let values = tokio::select! {
        values = fetch(&vault, &bindings, &masked) => values?,
        () = signals.end() => {
            return Err(CliError::new(Kind::Interrupted, "interrupted; the command was not started"));
        }
    };
    let secrets = values.iter().filter(|(name, _)| !vault.stands_in(&bindings[*name]));
    let uses = secrets.map(|(name, value)| used(name, &bindings[*name], value));
    lookup::record_all(context, uses.collect())?;
    let (program, arguments) = args.command.split_first().expect("clap asks for a command");
    if let Some(words) = schedulers::warning(program, arguments) {
        crate::cli::output::line(&words);
    }
    // A stdin that carries the passphrase has nothing left for the command.
    let is_taken = context.env.text("DOPPIO_PASSPHRASE_FD") == Some("0");
    let stdin = if is_taken { Stdio::null() } else { Stdio::inherit() };
    let child = match start(program, arguments, &values, stdin, args.no_mask) {
        Ok(child) => child,
        Err(error) => return Err(not_started(program, &error, &mask)),
    };
    drop(values);
    let (status, lost) =
        attend(child, &mask, signals).await.or_world(format!("lost sight of `{}`", program.display()))?;
    match lost {
        Some(error) if status.success() => {
            Err(CliError::world(format!("output of `{}` was lost", program.display()))
                .cause(error.to_string()))
        }
        _ if status.success() => Ok(()),
        // It has reported its failure itself.
        _ => Err(CliError::silent(Kind::OfCommand(exit_code(status)))),
    }
}

/// The values, asked for at the same time: sources that can give many at once do.
async fn fetch<'a>(
    vault: &SecretSession,
    bindings: &'a BTreeMap<EnvName, SecretRef>,
    masked: &[SecretRef],
) -> Result<Vec<(&'a EnvName, SecretValue)>, CliError> {
    // What is fetched is masked; what is only to be masked comes last and is dropped.
    let wanted = bindings.values().chain(masked);
    let values = try_join_all(wanted.map(|reference| vault.fetch(reference))).await?;
    let is_set = |reference: &SecretRef| !(reference.leaves_unset() && vault.stands_in(reference));
    let all = bindings.iter().zip(values);
    Ok(all.filter(|((_, reference), _)| is_set(reference)).map(|((name, _), value)| (name, value)).collect())
}

/// What the audit log says of a value that the command gets.
fn used(variable: &EnvName, reference: &SecretRef, value: &SecretValue) -> (Use, Option<SecretValue>) {
    let (variable, secret) = (variable.clone(), reference.label());
    let delivery =
        Delivery { variable: Some(variable), secret, carrier: Carrier::LocalEnv, is_default: false };
    (delivery.to_use("local"), Some(value.clone()))
}

/// What the command gets: what the command line and the recipe name, else what the settings list.
fn wanted(args: &Args, context: &Context) -> Result<BTreeMap<EnvName, SecretRef>, CliError> {
    let mut wanted = bindings(&args.bindings)?;
    if let Some(recipe) = &args.recipe {
        let mut needs = Needs::new();
        needs::collect(recipe, &mut needs)?;
        for reference in needs.into_keys() {
            let variable = naming::variable_in_recipe(&reference);
            // The user has said where it goes.
            if variable.is_none() && wanted.values().any(|given| given.label() == reference.label()) {
                continue;
            }
            let variable = given_variable(variable, &reference)?;
            wanted.entry(variable).or_insert(needs::without_default(reference));
        }
    }
    let is_named = !args.bindings.is_empty() || !args.all_of.is_empty() || !args.also_mask.is_empty();
    if !is_named && args.recipe.is_none() {
        let dirs = Dirs::new(&context.env, &context.home);
        let settings =
            Settings::load(&context.cwd, &dirs.config_toml(), &context.home, args.lookup.profile(context))?;
        if settings.exec.is_empty() {
            return Err(CliError::usage("no secret is named, and the settings list none")
                .hint("name some: `doppio secret exec huggingface/token -- COMMAND`")
                .hint("or list them in doppio.toml: `[exec]`, `HF_TOKEN = \"huggingface/token\"`"));
        }
        wanted = settings.exec;
    }
    Ok(wanted)
}

/// A reference whose value is only masked.
fn also(text: &str) -> Result<SecretRef, CliError> {
    let reference = arguments::reference(text)?;
    if looks_like_value(&reference.to_string()) { Err(arguments::on_command_line()) } else { Ok(reference) }
}

fn start(
    program: &OsStr,
    arguments: &[OsString],
    values: &[(&EnvName, SecretValue)],
    stdin: Stdio,
    is_open: bool,
) -> io::Result<Child> {
    let mut command = Program::new(program).args(arguments);
    for (variable, value) in values {
        #[expect(clippy::disallowed_methods, reason = "the environment of the command is where it belongs")]
        let given = value.reveal(|bytes| command.env(variable.as_str(), OsStr::from_bytes(bytes)));
        command = given;
    }
    command.start_beside(stdin, if is_open { Outputs::Inherited } else { Outputs::Piped })
}

/// Passes output and signals on until the command has ended and nothing writes any more. Returns
/// how it ended, and why output was lost, if some was.
async fn attend(
    mut child: Child,
    mask: &Mask,
    mut signals: signals::Signals,
) -> io::Result<(ExitStatus, Option<io::Error>)> {
    let outputs = output::follow(&mut child, mask);
    let ended = signals::end_of(&child)?;
    signals.pass_on_to(&child, ended).await?;
    let status = child.wait()?;
    // What the command left behind may still write; a signal ends the wait for it.
    let lost = signals.wait_for(outputs).await;
    Ok((status, lost))
}

/// As shells have it: 127 for what is not there, 126 for what can't be run.
fn not_started(program: &OsStr, error: &io::Error, mask: &Mask) -> CliError {
    let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
    let program = mask.text(&program.to_string_lossy());
    CliError::new(Kind::OfCommand(code), format!("cannot start `{program}`")).cause(error.to_string())
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
