//! `doppio host forget`.

use doppio_hosts as host;
use doppio_text::name::HostId;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::output;
use crate::config::Dirs;
use crate::rentals::ByName;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio host forget gpu-box")]
pub(in crate::cli) struct Args {
    /// The host, as recipes call it
    host: HostId,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let (hosts, dirs) = (load::hosts(context)?, Dirs::new(&context.env, &context.home));
    let forgetting = host::forget(&args.host, &hosts, &context.home, dirs.state(), Some(&ByName));
    match block_on(context, forgetting)?? {
        0 => {
            return Err(CliError::world(format!("no key of `{}` is stored", args.host))
                .hint("`doppio host list` shows the hosts of hosts.toml"));
        }
        1 => output::line(&format!("forgot the key of `{}`", args.host)),
        more => output::line(&format!("forgot {more} keys of `{}`", args.host)),
    }
    Ok(())
}
