//! `doppio host rm`.

use doppio_hosts::without_host;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::host::edit;
use crate::cli::output;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio host rm gpu-box")]
pub(in crate::cli) struct Args {
    /// The host, as hosts.toml calls it
    host: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let host = args.host.as_str();
    let path = edit::hosts_toml(context, host, |text| without_host(text, host))?;
    output::line(&format!("removed `{host}` from {path}"));
    output::hint(&format!(
        "its key stays known, in case it comes back; {} forgets it",
        typed(["doppio", "host", "forget", host])
    ));
    Ok(())
}
