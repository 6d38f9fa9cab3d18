//! `doppio code`: an editor on this machine opens a folder of a host.

use doppio_hosts::NamedBy;
use doppio_hosts::check_host_key;
use doppio_process::Program;
use doppio_text::name::HostId;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::host::export;
use crate::cli::openssh;
use crate::cli::pool;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The editor's Remote-SSH extension reads ~/.ssh/config: have it read the hosts of Doppio once, \
                        by `doppio host export-ssh-config --write --add-include`.\n\n\
                        Examples:\n  doppio code gpu-box /workspace\n  doppio code gpu-box /workspace --editor cursor"
)]
pub(super) struct Args {
    /// The host, as hosts.toml or `ssh_config` calls it
    host: HostId,
    /// The folder there, from `/` on
    folder: String,
    /// The editor's program
    #[arg(long, value_name = "PROGRAM", default_value = "code")]
    editor: String,
}

/// Starts the editor. Returns only if that fails.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let host = args.host.as_str();
    if !args.folder.starts_with('/') {
        return Err(CliError::usage(format!("`{}` is not a path from `/` on", args.folder)).hint(format!(
            "{} shows where its home is",
            typed(["doppio", "exec", "--host", host, "--", "pwd"])
        )));
    }
    let options = pool::options(context)?;
    let is_ours = options.hosts.names().iter().any(|name| name == host);
    let spec = super::block_on(context, openssh::reachable(&args.host, &options))??;
    if !is_ours && spec.named_by != NamedBy::SshConfig {
        return Err(CliError::usage(format!("{} has no host `{host}`", options.hosts.path()))
            .hint(format!("give it a name: {}", typed(["doppio", "host", "add", "NAME", host]))));
    }
    if is_ours && !export::is_included(context) {
        return Err(CliError::usage(
            "~/.ssh/config does not read the hosts of Doppio, and the editor reads no other file",
        )
        .hint("`doppio host export-ssh-config --write --add-include` has it do so"));
    }
    super::block_on(context, async {
        check_host_key(&spec, &options).await?;
        // What ssh_config names, the editor knows by itself.
        if is_ours {
            export::write(&export::text(&options, context).await?, context)?;
        }
        Ok::<_, CliError>(())
    })??;
    let alias = if is_ours { openssh::alias(host) } else { host.to_owned() };
    let remote = format!("ssh-remote+{alias}");
    let editor = Program::new(&args.editor).args(["--remote", &remote, &args.folder]);
    let install = "install it, or name another one with `--editor`, as in `--editor cursor`";
    Err(openssh::take_over(&args.editor, editor, install))
}
