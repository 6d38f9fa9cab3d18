//! `doppio host export-ssh-config`: the hosts of hosts.toml for other programs that speak SSH.

use std::fs;
use std::io;
use std::path::PathBuf;

use doppio_hosts::PoolOptions;
use doppio_hosts::openssh;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::openssh::alias;
use crate::cli::openssh::reachable;
use crate::cli::output;
use crate::cli::pool;
use crate::cli::replaced_file::replace;
use crate::config::Dirs;

/// What reads the file that is written.
pub(in crate::cli) const INCLUDE: &str = "Include ~/.ssh/doppio.config";

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The hosts are called `doppio-NAME` there, so that none of your own names changes its \
                        meaning. The keys that Doppio trusts count.\n\n\
                        Examples:\n  doppio host export-ssh-config\n  doppio host export-ssh-config --write\n  \
                        doppio host export-ssh-config --write --add-include"
)]
pub(in crate::cli) struct Args {
    /// Write ~/.ssh/doppio.config instead of printing it
    #[arg(long)]
    write: bool,
    /// Have ~/.ssh/config read it
    #[arg(long, requires = "write")]
    add_include: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let options = pool::options(context)?;
    let text = block_on(context, text(&options, context))??;
    if !args.write {
        return output::text(&text);
    }
    let file = write(&text, context)?;
    output::line(&format!("wrote {}", file.display()));
    if is_included(context) {
        return Ok(());
    }
    if !args.add_include {
        output::hint(&format!(
            "put this line at the top of ~/.ssh/config, or add `--add-include`: {INCLUDE}"
        ));
        return Ok(());
    }
    let config = context.home.join(".ssh/config");
    // Byte for byte: a comment may be in another encoding.
    let before = match fs::read(&config) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).or_world(format!("cannot read {}", config.display())),
    };
    let blank: &[u8] = if before.is_empty() { b"" } else { b"\n" };
    replace(&config, [INCLUDE.as_bytes(), b"\n", blank, &before].concat())
        .or_world(format!("cannot write {}", config.display()))?;
    output::line(&format!("{} reads it now", config.display()));
    Ok(())
}

/// The blocks of all hosts of hosts.toml.
pub(in crate::cli) async fn text(options: &PoolOptions, context: &Context) -> Result<String, CliError> {
    let keys = Dirs::new(&context.env, &context.home).state().join("openssh/exported.known_hosts");
    let mut text = "# Made by `doppio host export-ssh-config`, which writes it anew.\n".to_owned();
    let mut lines = String::new();
    for name in options.hosts.names() {
        let Ok(id) = name.parse() else { continue };
        let spec = match reachable(&id, options).await {
            Ok(spec) => spec,
            Err(error) => {
                let why = error.message.unwrap_or_default();
                output::line(&format!("warning: `{name}` is left out: {why}"));
                continue;
            }
        };
        let exported = openssh(&spec, &alias(&name), &keys, options)?;
        text.push('\n');
        text.push_str(&exported.config);
        lines.push_str(&exported.keys);
    }
    if !lines.is_empty() {
        replace(&keys, &lines).or_world(format!("cannot write {}", keys.display()))?;
    }
    Ok(text)
}

/// Writes the file; gives its path.
pub(in crate::cli) fn write(text: &str, context: &Context) -> Result<PathBuf, CliError> {
    let file = context.home.join(".ssh/doppio.config");
    replace(&file, text).or_world(format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Whether the user's configuration reads the file.
pub(in crate::cli) fn is_included(context: &Context) -> bool {
    let text = fs::read(context.home.join(".ssh/config")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let options = text.lines().filter_map(|line| line.trim().split_once([' ', '\t', '=']));
    // Below a `Host` line it would be read for that host only.
    let is_general =
        |(key, _): &(&str, &str)| !["host", "match"].iter().any(|word| key.eq_ignore_ascii_case(word));
    let own = context.home.join(".ssh/doppio.config");
    let names = ["~/.ssh/doppio.config".to_owned(), "doppio.config".to_owned(), own.display().to_string()];
    let mut files = options.take_while(is_general).filter(|(key, _)| key.eq_ignore_ascii_case("include"));
    files.any(|(_, files)| {
        files.split_whitespace().any(|file| names.iter().any(|name| file.trim_matches('"') == name))
    })
}
