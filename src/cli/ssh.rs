//! `doppio ssh`: an interactive session on a host.

use std::ffi::OsString;

use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::openssh;
use crate::cli::pool;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "OpenSSH's own client runs it, with the address, keys and jump hosts that Doppio has for \
                        the host, and with the host keys that Doppio trusts. It does not read your ssh_config: \
                        what you want besides stands after `--`.\n\n\
                        Examples:\n  doppio ssh gpu-box\n  doppio ssh gpu-box -- -A -L 6006:localhost:6006\n  \
                        doppio ssh gpu-box -- -t htop"
)]
pub(super) struct Args {
    /// The host, as recipes call it
    host: HostId,
    /// What `ssh` gets besides: options of its own, a command
    #[arg(value_name = "ARGS", last = true)]
    arguments: Vec<OsString>,
}

/// Opens a session. Returns only if that fails.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let options = pool::options(context)?;
    let prepared = super::block_on(context, openssh::prepare(&args.host, &options, context))??;
    let client = openssh::client(&prepared).arg(&prepared.alias).args(&args.arguments);
    Err(openssh::take_over("ssh", client, openssh::INSTALL))
}
