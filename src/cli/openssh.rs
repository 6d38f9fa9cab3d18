//! The user's own OpenSSH client, which takes Doppio's place for an interactive session: the terminal, job
//! control and the exit code are its own.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::PathBuf;

use doppio_hosts::HostSpec;
use doppio_hosts::OpenSsh;
use doppio_hosts::PoolOptions;
use doppio_hosts::Transport;
use doppio_hosts::check_host_key;
use doppio_hosts::openssh;
use doppio_hosts::resolve;
use doppio_hosts::user_config;
use doppio_process::Program;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::replaced_file::replace;
use crate::config::Dirs;

/// A host as OpenSSH knows it.
pub(super) struct Prepared {
    /// What it is called in the configuration.
    pub alias: String,
    /// The configuration's file; the user's own otherwise.
    pub config: Option<PathBuf>,
    /// Options besides, as in `Port=22`.
    pub options: Vec<String>,
}

/// The machine behind an id that an OpenSSH client can reach.
pub(super) async fn reachable(id: &HostId, options: &PoolOptions) -> Result<HostSpec, CliError> {
    resolve(id, options).await?.ok_or_else(|| {
        let what = if id.as_str() == "sandbox" { "lives only while a run does" } else { "is this machine" };
        CliError::usage(format!("`{id}` {what}, and no SSH leads there"))
            .hint("`doppio host list` shows the hosts of hosts.toml")
    })
}

/// Writes what OpenSSH is to read. The host key is decided about here, as for every step: OpenSSH
/// accepts no other.
pub(super) async fn prepare(
    id: &HostId,
    options: &PoolOptions,
    context: &Context,
) -> Result<Prepared, CliError> {
    let spec = reachable(id, options).await?;
    if let Some(host) = spec.config_host {
        let options = host.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        return Ok(Prepared { alias: host.name, config: user_config(&context.home).await, options });
    }
    check_host_key(&spec, options).await?;
    let folder = Dirs::new(&context.env, &context.home).state().join("openssh");
    let alias = alias(id.as_str());
    let (config, keys) =
        (folder.join(format!("{alias}.config")), folder.join(format!("{alias}.known_hosts")));
    let OpenSsh { config: blocks, keys: lines } = openssh(&spec, &alias, &keys, options)?;
    let blocks = match spec.transport {
        // The key was kept when it was decided about: here nothing is accepted that is new.
        Transport::Doppio => blocks.replace("StrictHostKeyChecking accept-new", "StrictHostKeyChecking yes"),
        Transport::OpenSsh => blocks,
    };
    for (file, text) in [(&config, &blocks), (&keys, &lines)] {
        replace(file, text).or_world(format!("cannot write {}", file.display()))?;
    }
    Ok(Prepared { alias, config: Some(config), options: Vec::new() })
}

/// What OpenSSH calls a host: a word without signs that mean something to it.
pub(super) fn alias(name: &str) -> String {
    let mut alias = "doppio-".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            alias.push(char::from(byte));
        } else {
            write!(alias, "+{byte:02x}").expect("a string grows");
        }
    }
    alias
}

/// Puts a program in Doppio's place. Returns only if it can't be started.
pub(super) fn take_over(name: &str, program: Program, install: &str) -> CliError {
    let error = program.take_over();
    if error.kind() == std::io::ErrorKind::NotFound {
        return CliError::world(format!("`{name}` is not installed on this machine")).hint(install);
    }
    CliError::world(format!("cannot start `{name}`")).cause(error.to_string())
}

/// The client, told about the host.
pub(super) fn client(prepared: &Prepared) -> Program {
    let named = prepared.config.iter().flat_map(|file| [OsStr::new("-F"), file.as_os_str()]);
    let options = prepared.options.iter().flat_map(|option| [OsStr::new("-o"), OsStr::new(option)]);
    Program::new("ssh").args(named).args(options)
}

/// What to do where there is no client.
pub(super) const INSTALL: &str = "install OpenSSH's client, as in `apt-get install openssh-client`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hosts_have_one_alias() {
        assert_eq!(alias("gpu-box"), "doppio-gpu-box");
        assert_eq!(alias("root@10.0.0.7:22"), "doppio-root+4010.0.0.7+3a22");
    }
}
