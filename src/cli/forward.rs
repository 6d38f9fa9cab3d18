//! `doppio forward`: ports of this machine that lead to ports as a host sees them.

use rustix::process::Signal;
use tokio::sync::mpsc;

use doppio_hosts::ForwardEvent;
use doppio_hosts::Forwarding;
use doppio_hosts::Pool;
use doppio_hosts::PortForward;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::pool;
use crate::cli::signals;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "`6006` leads to port 6006 of the host itself, `8888:9999` to its port 9999, `5432:db:5432` to \
                        what it knows as `db`. `0:localhost:6006` takes any port that is free here, and says which. \
                        They listen on 127.0.0.1 only, until Ctrl-C; when the connection breaks, it is made again.\n\n\
                        Examples:\n  doppio forward gpu-box 6006\n  doppio forward gpu-box 6006 8888:localhost:8888\n  \
                        doppio forward gpu-box 0:localhost:6006 --json"
)]
pub(super) struct Args {
    /// The host, as recipes call it
    host: HostId,
    /// The ports
    #[arg(required = true, value_name = "[LOCAL:[HOST:]]PORT")]
    ports: Vec<PortForward>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Forwards until a signal ends it.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    super::block_on(context, Box::pin(forward(args, context)))?
}

async fn forward(args: &Args, context: &Context) -> Result<(), CliError> {
    let mut signals = signals::listen([Signal::INT, Signal::TERM, Signal::HUP])?;
    let pool = Pool::new(pool::options(context)?);
    let (events, mut happened) = mpsc::unbounded_channel();
    let opening = pool.forward(&args.host, &args.ports, events);
    let forwarding = tokio::select! {
        opened = opening => opened?,
        _ = signals.recv() => return Err(CliError::silent(Kind::Interrupted)),
    };
    let forwarding = forwarding.ok_or_else(|| {
        CliError::usage(format!("`{}` runs on this machine: its ports are here already", args.host))
    })?;
    told(&forwarding, args)?;
    loop {
        tokio::select! {
            _ = signals.recv() => return Err(CliError::silent(Kind::Interrupted)),
            Some(event) = happened.recv() => say(event, &args.host),
        }
    }
}

/// Says where the ports are.
fn told(forwarding: &Forwarding, args: &Args) -> Result<(), CliError> {
    if args.output.is_json() {
        let ports = forwarding.ports().iter().map(|(local, forward)| {
            serde_json::json!({ "local": local.to_string(), "host": args.host.as_str(), "to": forward.to_string() })
        });
        return output::json_array(ports);
    }
    let lines = forwarding.ports().iter().map(|(local, to)| format!("{local} -> {to} on {}\n", args.host));
    output::text(&lines.collect::<String>())
}

fn say(event: ForwardEvent, host: &HostId) {
    match event {
        ForwardEvent::Lost(why) => {
            output::line(&format!("the connection to `{host}` broke: {why}; connecting again"));
        }
        ForwardEvent::Back => output::line(&format!("connected to `{host}` again")),
        ForwardEvent::Refused(error) => {
            let causes: Vec<String> = error.causes.iter().map(|cause| format!(": {cause}")).collect();
            output::line(&format!("warning: {}{}", error.message, causes.concat()));
            error.hint.iter().for_each(|hint| output::hint(hint));
        }
    }
}
