//! `doppio host`.

use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clap::Subcommand;

use doppio_hosts as host;
use doppio_hosts::HostsFile;
use doppio_hosts::NewEntry;
use doppio_hosts::Trust;
use doppio_text::Source;
use doppio_text::name::HostId;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::load;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::config::Dirs;
use crate::rentals::ByName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a host to hosts.toml, by the ssh command that its vendor shows
    #[command(after_help = "Examples:\n  doppio host add gpu 'ssh -p 37487 root@ssh4.vast.ai'\n  \
                            doppio host add --trust owned gpu-box root@10.0.0.7:2222")]
    Add {
        /// How far credentials may go there
        #[arg(long, value_name = "TRUST", value_enum)]
        trust: Option<TrustChoice>,
        /// What recipes will call it
        name: String,
        /// `ssh -p PORT USER@ADDRESS`, or `USER@ADDRESS:PORT`
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        address: Vec<String>,
    },
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

/// Who else has root on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TrustChoice {
    /// Somebody else owns it
    Rented,
    /// Several people use it
    Shared,
    /// It is your own
    Owned,
}

impl From<TrustChoice> for Trust {
    fn from(choice: TrustChoice) -> Self {
        match choice {
            TrustChoice::Rented => Self::Rented,
            TrustChoice::Shared => Self::Shared,
            TrustChoice::Owned => Self::Owned,
        }
    }
}

pub(super) fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let dirs = Dirs::new(&context.env, &context.home);
    match command {
        Command::Add { trust, name, address } => {
            let entry = NewEntry {
                trust: trust.map(Trust::from),
                ..NewEntry::parse(name, &address.join(" "))
                    .map_err(|error| CliError { kind: Kind::Usage, ..CliError::from(error) })?
            };
            add(&entry, &hosts, &dirs.hosts_toml())?;
        }
        Command::List { output } if output.is_json() => output::json(&hosts.names())?,
        Command::List { .. } => {
            let names: String = hosts.names().into_iter().map(|name| name + "\n").collect();
            output::text(&names)?;
        }
        Command::Forget { host } => {
            let forgetting = host::forget(host, &hosts, &context.home, dirs.state(), Some(&ByName));
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

/// Appends an entry to `hosts.toml`, if the file is well-formed with it.
fn add(entry: &NewEntry, hosts: &HostsFile, path: &Path) -> Result<(), CliError> {
    let shown = path.display().to_string();
    if hosts.names().contains(&entry.name) {
        return Err(CliError::usage(format!("`{shown}` already has a host `{}`", entry.name)).hint(format!(
            "change its entry there, or give this one another name; {} lists them",
            typed(["doppio", "host", "list"])
        )));
    }
    let source = HostsFile::parse(&Source::new(shown.clone(), format!("{entry}\n")));
    if let Err(faults) = source {
        let said = faults.into_iter().map(|fault| fault.message);
        return Err(said.fold(CliError::usage(format!("`{}` can't be added", entry.name)), CliError::cause));
    }
    if let Some(folder) = path.parent() {
        Dirs::create(folder).or_world(format!("cannot make `{}`", folder.display()))?;
    }
    let cannot = || format!("cannot write `{shown}`");
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).or_world(cannot())?;
    let text = fs::read_to_string(path).or_world(cannot())?;
    let before = match text.ends_with('\n') {
        _ if text.is_empty() => "",
        true => "\n",
        false => "\n\n",
    };
    file.write_all(format!("{before}{entry}\n").as_bytes()).or_world(cannot())?;
    output::line(&format!("added `{}` to {shown}", entry.name));
    output::hint(&format!(
        "see whether it lets you in: {}",
        typed(["doppio", "doctor", "--host", &entry.name])
    ));
    Ok(())
}
