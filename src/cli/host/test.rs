//! `doppio host test`: whether a host lets us in, phase by phase.

use std::time::Duration;
use std::time::Instant;

use serde::Serialize;

use doppio_hosts::Pool;
use doppio_hosts::Probed;
use doppio_hosts::fresh_name;
use doppio_hosts::probe;
use doppio_text::name::HostId;
use doppio_text::shell::quote;

use crate::cli::asked::ask;
use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::pool;
use crate::ui::duration;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio host test gpu-box\n  doppio host test root@10.0.0.7:2222 --json")]
pub(in crate::cli) struct Args {
    /// The host, as recipes call it
    host: HostId,
    #[command(flatten)]
    output: OutputArgs,
}

/// A phase that succeeded.
#[derive(Debug, Serialize)]
struct Phase {
    #[serde(rename = "phase")]
    name: &'static str,
    /// In milliseconds.
    millis: u64,
    /// What was seen.
    seen: String,
}

impl Phase {
    fn new(name: &'static str, took: Duration, seen: String) -> Self {
        Self { name, millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), seen }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let phases = block_on(context, Box::pin(phases(&args.host, context)))??;
    if args.output.is_json() {
        return output::json(&serde_json::json!({ "host": args.host.as_str(), "phases": phases }));
    }
    let mut table = Table::new([Column::Whole, Column::Right]);
    for phase in &phases {
        table.row([phase.name, &duration(Duration::from_millis(phase.millis))], &phase.seen);
        table.paint(0, Colour::Good);
    }
    output::coloured_table(&table)
}

/// A refusal at any of them is the command's error.
async fn phases(id: &HostId, context: &Context) -> Result<Vec<Phase>, CliError> {
    let mut phases = Vec::new();
    if let Some(Probed { place, user, banner, host_key, login, times, .. }) =
        probe(id, &pool::options(context)?).await?
    {
        phases.push(Phase::new("connect", times.way, place));
        phases.push(Phase::new("banner", times.banner, banner));
        phases.push(Phase::new("key exchange", times.key_exchange, host_key));
        phases.push(Phase::new("login", times.login, format!("`{user}` by {login}")));
    }
    let pool = Pool::new(pool::options(context)?);
    let nonce = fresh_name()?;
    let answered = async {
        let host = pool.host(id).await?;
        let begin = Instant::now();
        let answer = ask(&host, format!("printf %s {}", quote(&nonce))).await?;
        let took = begin.elapsed();
        if answer.stdout != nonce {
            return Err(CliError::world(format!(
                "`{id}` runs commands, and does not answer with what they print"
            ))
            .cause("its login files print, or something else than a shell runs them")
            .hint("move what prints in its `~/.bashrc` below `[[ $- == *i* ]] || return`"));
        }
        Ok(took)
    };
    let answered = answered.await;
    pool.close().await;
    phases.push(Phase::new("command", answered?, "it came back as it was sent".to_owned()));
    Ok(phases)
}
