//! `doppio vast ssh-key`: who may log in.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use doppio_rented::Vendor;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::vast::account::AccountArgs;
use crate::cli::vast::account::machine;
use crate::ui::table::Column;
use crate::ui::table::Table;

/// The usual public keys, in ssh's order.
const USUAL: [&str; 3] = [".ssh/id_ed25519.pub", ".ssh/id_ecdsa.pub", ".ssh/id_rsa.pub"];

/// A longer file is not a public key, in bytes.
const LONGEST: u64 = 32 << 10;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Let the owner of a public key into a machine that exists
    #[command(after_help = "Example: doppio vast ssh-key attach vast-12345 ~/.ssh/id_ed25519.pub")]
    Attach {
        /// The machine: `vast-12345`, or its number
        machine: String,
        /// The file with the public key; the first of your usual ones if left out
        file: Option<PathBuf>,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Add a public key to the account: machines that are created later let its owner in
    #[command(after_help = "Example: doppio vast ssh-key add ~/.ssh/id_ed25519.pub")]
    Add {
        /// The file with the public key; the first of your usual ones if left out
        file: Option<PathBuf>,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// List the public keys of the account
    List {
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Remove a public key from the account
    #[command(after_help = "Example: doppio vast ssh-key rm 1234")]
    Rm {
        /// Its number, as `list` shows it
        key: u64,
        #[command(flatten)]
        account: AccountArgs,
    },
}

pub(super) async fn run(command: &Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Attach { machine: text, file, account } => {
            let (id, key) = (machine(text)?, key(file.as_deref(), context)?);
            account.vast(context).await?.attach_key(&id, &key).await?;
            output::line(&format!("`{id}` lets the key in; that may take it a minute"));
        }
        Command::Add { file, account } => {
            let key = key(file.as_deref(), context)?;
            account.vast(context).await?.add_account_key(&key).await?;
            output::line("added; machines that exist already don't have it: `doppio vast ssh-key attach`");
        }
        Command::List { output: format, account } => {
            let keys = account.vast(context).await?.account_keys().await?;
            if format.is_json() {
                let all =
                    keys.iter().map(|key| serde_json::json!({ "id": key.id, "public_key": key.public_key }));
                return output::json_array(all);
            }
            let mut table = Table::new([Column::Right]);
            table.row(["KEY"], "PUBLIC KEY");
            for key in &keys {
                table.row([&key.id], &key.public_key);
            }
            output::table(&table)?;
        }
        Command::Rm { key, account } => {
            account.vast(context).await?.remove_account_key(&key.to_string()).await?;
            output::line(&format!("removed key {key}; machines that exist keep it"));
        }
    }
    Ok(())
}

fn key(file: Option<&Path>, context: &Context) -> Result<String, CliError> {
    if let Some(file) = file {
        return read(file);
    }
    let usual = USUAL.iter().map(|name| context.home.join(name)).find(|path| path.exists());
    let usual = usual.ok_or_else(|| {
        CliError::usage("there is no public key at the usual places in `~/.ssh`")
            .hint("name its file, or make one: `ssh-keygen -t ed25519`")
    })?;
    read(&usual)
}

/// The public key in a file; a private one is refused, since it would be sent.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let shown = path.display().to_string();
    let length = fs::metadata(path).or_world(format!("cannot read `{shown}`"))?.len();
    let text = if length > LONGEST {
        String::new()
    } else {
        fs::read_to_string(path).or_world(format!("cannot read `{shown}`"))?
    };
    let key = text.trim();
    if key.contains("PRIVATE KEY") {
        let public = format!("{shown}.pub");
        return Err(CliError::usage(format!("`{shown}` is a private key, which never leaves this machine"))
            .hint(format!("name the public one: {}", typed([public.as_str()]))));
    }
    let kind = key.split(' ').next().unwrap_or_default();
    let is_known = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| kind.starts_with(start));
    if !is_known || key.lines().count() != 1 {
        return Err(CliError::usage(format!("`{shown}` is not a public key"))
            .hint("it is one line that begins with `ssh-ed25519` or the like"));
    }
    Ok(key.to_owned())
}
