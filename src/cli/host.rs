//! `doppio host`.

use clap::Subcommand;

use doppio_hosts as host;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::config::Dirs;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the hosts of hosts.toml
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Forget the key of a host that was rebuilt; the next one that it offers is kept
    #[command(after_help = "Example: doppio host forget gpu-box")]
    Forget {
        /// The host, as recipes call it
        host: HostId,
    },
}

pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    match command {
        Command::List { output } if output.is_json() => output::json(&hosts.names())?,
        Command::List { .. } => {
            let names: String = hosts.names().into_iter().map(|name| name + "\n").collect();
            output::text(&names)?;
        }
        Command::Forget { host } => {
            let dirs = Dirs::new(&context.env, &context.home);
            let forgetting = host::forget(host, &hosts, &context.home, dirs.state());
            match super::block_on(context, forgetting)?? {
                0 => {
                    return Err(CliError::world(format!("no key of `{host}` is stored"))
                        .hint("`doppio host list` shows the hosts of hosts.toml"));
                }
                1 => output::line(&format!("forgot the key of `{host}`")),
                more => output::line(&format!("forgot {more} keys of `{host}`")),
            }
        }
    }
    Ok(())
}
