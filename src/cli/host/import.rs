//! `doppio host import-ssh-config`: the hosts of `ssh_config` get entries of their own.

use std::fmt::Write;
use std::fs;
use std::io;

use doppio_hosts::HostsFile;
use doppio_hosts::NewEntry;
use doppio_hosts::Trust;
use doppio_hosts::ssh_config_hosts;
use doppio_text::Source;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::host::trust::TrustChoice;
use crate::cli::load;
use crate::cli::output;
use crate::cli::replaced_file::replace;
use crate::config::Dirs;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "An entry says nothing but how far the host is trusted: address, keys and jump hosts stay in \
                        ssh_config, which is read as before.\n\n\
                        Examples:\n  doppio host import-ssh-config --dry-run\n  \
                        doppio host import-ssh-config --trust owned gpu-a gpu-b"
)]
pub(in crate::cli) struct Args {
    /// Those to take; all that `ssh_config` names without a pattern otherwise
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    /// How far credentials may go there
    #[arg(long, value_name = "TRUST", value_enum, default_value = "shared")]
    trust: TrustChoice,
    /// Show the entries, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let known = load::hosts(context)?;
    let found = ssh_config_hosts(&context.home);
    if let Some(missing) = args.hosts.iter().find(|host| !found.contains(host)) {
        return Err(CliError::usage(format!("no `Host` line of ssh_config names `{missing}`"))
            .hint("`doppio host import-ssh-config --dry-run` shows those that there are"));
    }
    let mut names: Vec<&String> =
        found.iter().filter(|host| args.hosts.is_empty() || args.hosts.contains(host)).collect();
    names.retain(|name| !known.names().contains(name));
    names.dedup();
    let path = Dirs::new(&context.env, &context.home).hosts_toml();
    let mut text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.or_world(format!("cannot read {}", path.display()))?,
    };
    let mut added = String::new();
    let (mut count, mut left_out) = (0, 0);
    for name in names {
        let entry = NewEntry { trust: Some(Trust::from(args.trust)), ..NewEntry::new(name) };
        // A name of ssh_config may be one that no recipe could name.
        let lines = format!("{entry}\n");
        if HostsFile::parse(&Source::new("hosts.toml", lines.clone())).is_err() {
            output::line(&format!("`{name}` is left out: it can't be the name of a host in a recipe"));
            left_out += 1;
            continue;
        }
        count += 1;
        write!(added, "{}{lines}", if added.is_empty() { "" } else { "\n" }).expect("a string grows");
    }
    if count == 0 {
        let which = if left_out > 0 { "the others" } else { "all of them" };
        output::line(&format!("nothing to add: hosts.toml has {which}"));
        return Ok(());
    }
    if args.dry_run {
        return output::text(&added);
    }
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(&added);
    replace(&path, &text).or_world(format!("cannot write {}", path.display()))?;
    output::line(&format!(
        "added {count} {} to {}",
        if count == 1 { "host" } else { "hosts" },
        path.display()
    ));
    Ok(())
}
