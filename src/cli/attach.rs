//! `doppio attach`: a tmux session of a host in this terminal.

use doppio_hosts::Host;
use doppio_hosts::Pool;
use doppio_process::Program;
use doppio_text::closest;
use doppio_text::name::HostId;
use doppio_text::shell::quote;
use doppio_text::shell::typed;

use crate::cli::asked::ask;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::openssh;
use crate::cli::pool;

/// The exit code of the script where there is no tmux.
const NO_TMUX: i32 = 90;

/// Prints the names of the sessions; without a server there are none.
const SESSIONS: &str =
    "command -v tmux >/dev/null || exit 90\ntmux list-sessions -F '#{session_name}' 2>/dev/null || :";

#[derive(Debug, clap::Args)]
#[command(after_help = "Leave it with tmux's own keys, Ctrl-B and then D; the session goes on.\n\n\
                        Example: doppio attach gpu-box train")]
pub(super) struct Args {
    /// The host, as recipes call it
    host: HostId,
    /// The session's name
    session: String,
}

/// Opens the session. Returns only if that fails.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let options = pool::options(context)?;
    let target = format!("={}", args.session);
    let prepared = super::block_on(context, async {
        let pool = Pool::new(pool::options(context)?);
        let host = pool.host(&args.host).await?;
        let sessions = sessions(&host).await;
        pool.close().await;
        find(args, &sessions?)?;
        if host.is_local() {
            return Ok(None);
        }
        openssh::prepare(&args.host, &options, context).await.map(Some)
    })??;
    let Some(prepared) = prepared else {
        let tmux = Program::new("tmux").args(["attach-session", "-t", &target]);
        return Err(openssh::take_over("tmux", tmux, "install it, as in `apt-get install -y tmux`"));
    };
    let command = format!("exec tmux attach-session -t {}", quote(&target));
    let client = openssh::client(&prepared).args(["-t", &prepared.alias, &command]);
    Err(openssh::take_over("ssh", client, openssh::INSTALL))
}

/// The names of the sessions that a host has.
async fn sessions(host: &Host) -> Result<Vec<String>, CliError> {
    let answer = ask(host, SESSIONS).await?;
    if answer.code == NO_TMUX {
        return Err(CliError::world(format!("tmux is not installed on `{}`", host.id()))
            .hint("install it there, as in `apt-get install -y tmux`"));
    }
    Ok(answer.stdout.lines().map(str::to_owned).collect())
}

/// Whether the session is there.
fn find(args: &Args, sessions: &[String]) -> Result<(), CliError> {
    let Args { host, session } = args;
    if sessions.contains(session) {
        return Ok(());
    }
    let error = CliError::world(format!("there is no tmux session `{session}` on `{host}`"));
    Err(match closest(session, sessions.iter().map(String::as_str)) {
        Some(near) => error
            .hint(format!("a similar one is there: {}", typed(["doppio", "attach", host.as_str(), near]))),
        None if sessions.is_empty() => error.hint(format!(
            "it has none; a `tmux_new` step starts one, and {} starts one by hand",
            typed(["doppio", "ssh", host.as_str(), "--", "-t", "tmux"])
        )),
        None => {
            let names: Vec<String> = sessions.iter().map(|name| format!("`{name}`")).collect();
            error.hint(format!("its sessions are {}", names.join(", ")))
        }
    })
}
