//! `doppio host add`.

use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use doppio_hosts::HostsFile;
use doppio_hosts::NewEntry;
use doppio_hosts::Trust;
use doppio_text::Source;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::host::trust::TrustChoice;
use crate::cli::load;
use crate::cli::output;
use crate::config::Dirs;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio host add gpu 'ssh -p 37487 root@ssh4.vast.ai'\n  \
                        doppio host add --trust owned gpu-box root@10.0.0.7:2222")]
pub(in crate::cli) struct Args {
    /// How far credentials may go there
    #[arg(long, value_name = "TRUST", value_enum)]
    trust: Option<TrustChoice>,
    /// What recipes will call it
    name: String,
    /// `ssh -p PORT USER@ADDRESS`, or `USER@ADDRESS:PORT`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    address: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    let entry = NewEntry {
        trust: args.trust.map(Trust::from),
        ..NewEntry::parse(&args.name, &args.address.join(" "))
            .map_err(|error| CliError { kind: Kind::Usage, ..CliError::from(error) })?
    };
    add(&entry, &hosts, &Dirs::new(&context.env, &context.home).hosts_toml())
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
