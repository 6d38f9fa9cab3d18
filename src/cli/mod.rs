//! The command line: clap, wiring, exit codes. One file a command: arguments → settings →
//! library call → exit code.

mod asked;
mod attach;
mod bug;
mod check;
mod code;
mod complete;
mod completions;
mod context;
mod credentials;
mod doctor;
mod error;
mod exec;
mod forward;
mod handed;
mod hardware;
mod host;
mod linked;
mod literals;
mod load;
mod memory;
mod named_hosts;
mod opened;
mod openssh;
mod output;
mod plan;
mod pool;
mod ps;
mod rented;
mod replaced_file;
mod routes;
mod run;
mod runs;
mod secret;
mod signals;
mod ssh;
mod terminal;
mod tips;
mod tls;
mod version;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;
use context::Context;
use error::CliError;
use output::ColourChoice;

use crate::cli::wait::block_on;

/// Runs TOML recipes on GPU hosts over SSH. Secrets arrive just in time, inside the encrypted
/// channel, and never become text.
#[derive(Debug, Parser)]
#[command(
    name = "doppio",
    version,
    disable_version_flag = false,
    propagate_version = false,
    after_help = "Exit codes: 0 done, 1 a step failed, 2 the recipe or the command line is wrong, 3 something \
                  outside prevents it (a secret, a host, a login, the disk), 70 a bug in Doppio, 130 interrupted"
)]
struct Cli {
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    color: ColourChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open a tmux session of a host in this terminal
    Attach(attach::Args),
    /// Report everything that is wrong with recipes
    Check(check::Args),
    /// Open a folder of a host in an editor of this machine
    Code(code::Args),
    /// Print names for a shell's completion
    #[command(hide = true)]
    Complete(complete::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Examine this machine or a host: what is wrong, and how to fix it
    Doctor(doctor::Args),
    /// Run a command on a host, or on several
    Exec(exec::Args),
    /// Open ports of this machine that lead to ports of a host
    Forward(forward::Args),
    /// Add hosts, list, show, test and export them
    #[command(subcommand)]
    Host(host::Command),
    /// Show what a run would do, without doing it
    Plan(plan::Args),
    /// List what Doppio has started on hosts and goes on without it
    Ps(ps::Args),
    /// Store, find and explain secrets
    #[command(subcommand, alias = "secrets", after_help = "Example: doppio secret set huggingface/token")]
    Secret(secret::Command),
    /// Run a recipe
    Run(run::Args),
    /// Look at past and present runs
    #[command(
        subcommand,
        after_help = "Examples:\n  doppio runs list\n  doppio runs show\n  \
                      doppio runs logs 7f3a --step train"
    )]
    Runs(runs::Command),
    /// Open an interactive session on a host, with the user's own OpenSSH client
    Ssh(ssh::Args),
    /// Hire, look at and destroy instances of Lambda Cloud
    #[command(
        subcommand,
        after_help = "Examples:\n  doppio lambda search --gpu A10\n  doppio lambda list\n  \
                      doppio lambda destroy lambda-0920582c7ff041399e34823a0be62549"
    )]
    Lambda(rented::lambda::Command),
    #[command(
        subcommand,
        about = "Hire, look at and destroy pods of RunPod",
        after_help = "Examples:\n  doppio runpod search --gpu RTX_4090 --max-price 1\n  \
                      doppio runpod list\n  doppio runpod destroy runpod-x7aq2"
    )]
    Runpod(rented::runpod::Command),
    /// Hire, look at and destroy machines of vast.ai
    #[command(
        subcommand,
        after_help = "Examples:\n  doppio vast search --gpus 4 --gpu RTX_4090 --max-price 2\n  \
                      doppio vast list\n  doppio vast destroy vast-12345"
    )]
    Vast(rented::vast::Command),
    /// Print the version
    Version(version::Args),
}

/// Does what the arguments say; the only caller is the binary.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    bug::silence_panics();
    memory::close();
    tls::install();
    bug::guard(|| attempt(arguments))
}

fn attempt(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Err(error) = secret::refuse_tokens(&arguments) {
        return output::fail(&error);
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let tip = tips::tip(&error, &arguments);
            let code = output::usage(error);
            tip.into_iter().for_each(output::hint);
            return code;
        }
    };
    cli.color.choose();
    let context = Context::from_process().map(|context| Context { colour: cli.color, ..context });
    match context.and_then(|context| dispatch(cli.command, &context)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::fail(&error),
    }
}

fn dispatch(chosen: Command, context: &Context) -> Result<(), CliError> {
    match chosen {
        Command::Attach(args) => attach::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Code(args) => code::run(&args, context),
        Command::Complete(args) => complete::run(&args, context),
        Command::Completions(args) => completions::run(&args, command()),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Exec(args) => exec::run(&args, context),
        Command::Forward(args) => forward::run(&args, context),
        Command::Host(command) => host::run(&command, context),
        Command::Lambda(command) => rented::lambda::run(&command, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Ps(args) => ps::run(&args, context),
        Command::Secret(command) => secret::run(&command, context),
        Command::Run(args) => run::run(&args, context),
        Command::Runpod(command) => rented::runpod::run(&command, context),
        Command::Runs(command) => runs::run(&command, context),
        Command::Ssh(args) => ssh::run(&args, context),
        Command::Vast(command) => rented::vast::run(&command, context),
        Command::Version(args) => version::run(&args),
    }
}

/// The whole command line as clap knows it: for completions and for the tests of the docs.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The script that completes command lines in a shell.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    completions::script(shell, command())
}
