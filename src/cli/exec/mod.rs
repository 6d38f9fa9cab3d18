//! `doppio exec`: one command on one host or several, as a recipe of one step.

mod end;
mod recipe;
mod watched;

use std::io;
use std::io::IsTerminal;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use doppio_secrets::MaskStyle;
use doppio_secrets::Prompt;
use doppio_text::shell::quote;

use crate::cli::context::Context;
use crate::cli::credentials::ConsentArgs;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::exec::end::Ending;
use crate::cli::exec::recipe::OneStep;
use crate::cli::exec::watched::Watched;
use crate::cli::literals::Literals;
use crate::cli::load;
use crate::cli::named_hosts::named;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::run::play::Order;
use crate::cli::run::play::World;
use crate::cli::run::play::perform;
use crate::cli::run::talk::NoEcho;
use crate::cli::secret::bindings::bindings;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::terminal::Terminal;
use crate::engine::Cancel;
use crate::plan;
use crate::plan::Inputs;
use crate::ui::CommandOutput;
use crate::ui::Json;
use crate::ui::Passing;
use crate::ui::Screen;
use crate::ui::View;

/// How long output waits for a reader: as long as a pipe would.
const PATIENCE: Duration = Duration::from_hours(24);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "One word after `--` is shell text, as in a recipe's `command`; of several words, each is \
                        quoted, so that the program gets them as they stand here. Without any, the text is read \
                        from stdin.\n\n\
                        The output of one host is passed on as text, secrets masked; each line of several hosts \
                        has its host before it. The exit code is the command's on one host, 1 if it failed on \
                        one of several, 3 if a host, a login or a secret is in the way. `doppio runs` knows it \
                        as a run of the recipe `exec`.\n\n\
                        Examples:\n  doppio exec --host gpu-box -- nvidia-smi\n  \
                        doppio exec --host @gpus -- 'df -h / | tail -1'\n  \
                        doppio exec --host gpu-a,gpu-b --env HF_TOKEN=huggingface/token -- hf download gpt2\n  \
                        doppio exec --host gpu-box < setup.sh"
)]
pub(super) struct Args {
    /// Where it runs: a host, `@TAG`, or several with commas between them
    #[arg(long, value_name = "HOST", required = true)]
    host: Vec<String>,
    /// Give it a secret in a variable: a reference, never a value
    #[arg(long, value_name = "NAME=REF")]
    env: Vec<String>,
    /// Stop it after this many seconds
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Where it runs on the host; its home, or the host's `workdir`, otherwise
    #[arg(long, value_name = "FOLDER")]
    workdir: Option<String>,
    /// Read stdin to its end, and give it to the command
    #[arg(short = 'i', long, requires = "command")]
    stdin: bool,
    /// Maximum number of hosts at the same time
    #[arg(long, value_name = "N", default_value = "32")]
    jobs: NonZeroUsize,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    lookup: LookupArgs,
    /// The command
    #[arg(value_name = "CMD", last = true)]
    command: Vec<String>,
}

/// Runs a command on hosts.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let (named, is_one) = named(&args.host, &hosts)?;
    let command = match args.command.as_slice() {
        [] => script(context)?,
        [text] => text.clone(),
        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
    };
    let stdin = args.stdin.then(|| read_stdin("it is to be given to the command")).transpose()?;
    let step = OneStep {
        hosts: &named,
        is_one,
        command: &command,
        env: &bindings(&args.env)?,
        timeout: args.timeout,
        workdir: args.workdir.as_deref(),
        stdin: stdin.as_deref(),
    };
    let source = step.source()?;
    let host_env = hosts.env_names();
    let inputs = Inputs {
        vars: &[],
        env: &context.env,
        target: None,
        tagged: &|tag| hosts.tagged(tag),
        host_env: &host_env,
        is_check: false,
    };
    let built = plan::build(crate::recipe::parse(&source), &inputs);
    // Its warnings are about recipes that are kept.
    let (plan, _warnings) = built.map_err(|faults| CliError::faults(source.clone(), faults))?;
    let literals = Literals::of([source.text()]);
    if !literals.is_empty() {
        output::line(
            "warning: a token stands in the command, and now in your shell's history: store it with `doppio secret \
             set NAME`, and hand it over with `--env TOKEN=NAME`",
        );
    }
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal::new(context));
    let cancel = watch::Sender::new(Cancel::No);
    let is_unread = Arc::new(AtomicBool::new(false));
    let view = Watched::new(view(args.output, is_one), cancel.clone(), Arc::clone(&is_unread));
    let world = World {
        literals,
        source,
        plan,
        ladder: lookup::ladder_asking(context, Path::new("."), &args.lookup, Arc::clone(&prompt))?,
        hosts,
        prompt,
        screen: Screen::new(Box::new(view), PATIENCE),
        echo: Arc::new(NoEcho::new(false)),
        cancel,
    };
    let order = Order {
        consent: &args.consent,
        folder: Path::new("."),
        sandbox: false,
        jobs: args.jobs.get(),
        style: MaskStyle::Stars,
        is_data: true,
    };
    let ending = Ending { is_one };
    perform(&order, context, world, |ended| {
        // Whoever read it has enough.
        if is_unread.load(Ordering::Relaxed) { Ok(()) } else { ending.say(ended) }
    })
}

/// The text on stdin, if somebody hands one over there.
fn script(context: &Context) -> Result<String, CliError> {
    let none = || {
        CliError::usage("there is no command to run")
            .hint("write it after ` -- `, as in `doppio exec --host gpu-box -- nvidia-smi`")
    };
    if context.stdin_is_terminal {
        return Err(none());
    }
    let text = read_stdin("it is the text to run")?;
    if text.trim().is_empty() { Err(none()) } else { Ok(text) }
}

fn read_stdin(what: &str) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    io::stdin().take(load::LONGEST + 1).read_to_end(&mut bytes).or_world("cannot read stdin")?;
    if bytes.len() as u64 > load::LONGEST {
        return Err(CliError::usage(format!("stdin is longer than 64 MiB, and {what}")));
    }
    String::from_utf8(bytes).map_err(|_| CliError::usage(format!("stdin is not UTF-8, and {what}")))
}

fn view(output: OutputArgs, is_one: bool) -> Box<dyn View> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    if output.is_json() {
        return Box::new(Json::new(io::BufWriter::new(stdout)));
    }
    let passing = |is_terminal| match (is_one, is_terminal) {
        (true, false) => Passing::Text,
        (true, true) => Passing::Lines,
        (false, _) => Passing::OfHosts,
    };
    let ways = (passing(stdout.is_terminal()), passing(stderr.is_terminal()));
    Box::new(CommandOutput::new((io::BufWriter::new(stdout), ways.0), (io::BufWriter::new(stderr), ways.1)))
}
