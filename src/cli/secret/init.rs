//! `doppio secret init`: settings with everything explained, and rules for git.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Write;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::secret::ignore;

#[derive(Debug, clap::Args)]
#[command(after_help = "Adds what is missing and changes nothing that is there. The rules go to the \
                        .gitignore of the work tree, or of this folder where there is none.\n\n\
                        Example: doppio secret init")]
pub(in crate::cli) struct Args {
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// The settings of a project, all of them off.
const SETTINGS: &str = r#"# How this project finds its secrets. No value belongs here: this file goes into git.
# `doppio secret why NAME` shows the result.

# Look names up in `.env` beside the recipe. It must be ignored by git, and its mode 0600.
# dotenv = true

# What to do when a source can't be asked: "stop" ends the search, "next" goes on.
# on_error = "stop"

# Where a name is looked up instead of the usual places. A reference, never a value.
[secrets]
# "huggingface/token" = "env:HF_TOKEN"
# "db/url" = "file:team/db#url"

# The same for `--profile prod`.
# [profile.prod.secrets]
# "db/url" = "file:team/db-prod#url"
"#;

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let settings = context.cwd.join("doppio.toml");
    let root = ignore::work_tree(&context.cwd).unwrap_or_else(|| context.cwd.clone());
    let rules = root.join(".gitignore");
    if args.dry_run {
        if !settings.exists() {
            output::text(&format!("doppio.toml\n{SETTINGS}\n"))?;
        }
        let missing = ignore::missing(&root)?;
        if !missing.is_empty() {
            output::text(&format!("{}\n{}\n", rules.display(), missing.join("\n")))?;
        }
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).open(&settings) {
        Ok(mut file) => {
            file.write_all(SETTINGS.as_bytes()).or_world("cannot write `doppio.toml`")?;
            output::line("wrote doppio.toml");
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            output::line("doppio.toml already exists: it was left as it is");
        }
        Err(error) => {
            return Err(CliError::world("cannot make `doppio.toml`").cause(error.to_string()));
        }
    }
    match ignore::write(&root)? {
        0 => output::line(&format!("`{}` already has all rules", rules.display())),
        count => output::line(&format!("added {} to `{}`", ignore::rules(count), rules.display())),
    }
    Ok(())
}
